// Replays the current step of a run in a new session, with the same batch and the same weights.
import type { RunRecord } from '../protocol/run-record';
import type { ReplayResult } from '../protocol/debug';
import { asCustomLayerError } from '../engine/custom/custom-layer-error';
import type { CompiledRun } from '../model-spec';
import { TrainingSession } from './session';
import type { SessionOptions } from './session-options';

/**
 * @param from the position of the run; null for its start, or if the shapes of its parameters changed
 * @param steps how many steps to replay, starting with the current one; at most to the end of the run
 */
export function replayStep(
  run: CompiledRun,
  text: string,
  from: RunRecord | null,
  steps: number,
  options: SessionOptions,
): ReplayResult {
  try {
    const session = sessionBeforeStep(run, text, from, options);
    if (session.restoreFault) throw session.restoreFault;
    const last = Math.min(
      session.position.step + Math.max(1, steps),
      Math.max(session.totalSteps, session.position.step + 1),
    );
    while (session.position.step < last) session.step();
    return { kind: 'done', step: session.position.step, loss: session.loss };
  } catch (error) {
    return { kind: 'fault', fault: asCustomLayerError(error).details };
  }
}

/**
 * A session at the position of the run, of which the next phase can be replayed.
 * @throws CustomLayerError if the code fails before that position
 */
export function openAtPosition(
  run: CompiledRun,
  text: string,
  from: RunRecord | null,
  options: SessionOptions,
): TrainingSession {
  if (from === null) return new TrainingSession(run, text, options);
  const session = TrainingSession.resume(run, from, options);
  if (session.restoreFault) throw session.restoreFault;
  return session;
}

/** A session at the beginning of the current step. */
function sessionBeforeStep(
  run: CompiledRun,
  text: string,
  from: RunRecord | null,
  options: SessionOptions,
): TrainingSession {
  if (from === null) return new TrainingSession(run, text, options);
  const { step, phase } = from.position;
  // Only its batch is loaded: positioned at the end of the previous step, the session would replay that one as well.
  const position = { step: phase > 0 ? step : Math.max(0, step - 1), phase: 1 };
  try {
    return TrainingSession.resume(run, { ...from, position }, options);
  } catch (error) {
    if (error instanceof RangeError) return new TrainingSession(run, text, options);
    throw error;
  }
}
