// Hands a run over to other code of its layers: with the weights from before the step that is shown, so that this step
// is done again and what changed is seen at once.
import { asFault } from '../engine/custom/fault';
import type { SessionCommand } from './command';
import type { RunRecord } from './record';
import type { TrainingSession } from './session';

export interface HandedOver {
  readonly record: RunRecord;
  /** What it was at, to go on with. */
  readonly going: SessionCommand | null;
}

/** Leaves the session where it stands. */
export function handOver(session: TrainingSession): RunRecord {
  const { step, phase } = session.position;
  try {
    if (phase === 0 && step > 0) session.seek(step - 1);
    session.keep();
    session.seek(step, phase);
  } catch (error) {
    // The code that goes fails on its way back: what was kept before must do.
    asFault(error);
  }
  return { ...session.record(), position: { step, phase }, frontier: step };
}
