// Hands a run over to changed code of its layers: with the weights from before the current step, so that this step is
// repeated and the effect shows at once.
import type { RunRecord } from '../protocol/run-record';
import { asCustomLayerError } from '../engine/custom/custom-layer-error';
import type { TrainingSession } from './session';

/** Leaves the session where it is. */
export function createHotReloadRecord(session: TrainingSession): RunRecord {
  const { step, phase } = session.position;
  try {
    if (phase === 0 && step > 0) session.seek(step - 1);
    session.saveCheckpoint();
    session.seek(step, phase);
  } catch (error) {
    // The old code fails while going back, so the checkpoints must do.
    asCustomLayerError(error);
  }
  return { ...session.record(), position: { step, phase }, frontier: step };
}
