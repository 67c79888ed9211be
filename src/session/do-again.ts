// Does the step that a run shows again, in a session of its own: the same batch, the same weights.
import { asFault, type Fault } from '../engine/custom/fault';
import type { CompiledRun } from '../spec/compiled';
import type { RunRecord } from './record';
import { TrainingSession } from './session';
import type { SessionOptions } from './session-options';

export type DoneAgain =
  | { readonly kind: 'done'; readonly step: number; readonly loss: number | null }
  | { readonly kind: 'fault'; readonly fault: Fault };

/**
 * @param from where the run stands; null for its start, or where its parameters are others now.
 * @param steps how many, beginning with the one shown; at most to the end of the run.
 */
export function doAgain(run: CompiledRun, text: string, from: RunRecord | null, steps: number, options: SessionOptions): DoneAgain {
  try {
    const session = before(run, text, from, options);
    if (session.failure) throw session.failure;
    const last = Math.min(session.position.step + Math.max(1, steps), Math.max(session.totalSteps, session.position.step + 1));
    while (session.position.step < last) session.step();
    return { kind: 'done', step: session.position.step, loss: session.loss };
  } catch (error) {
    return { kind: 'fault', fault: asFault(error).fault };
  }
}

/** A session that stands at the beginning of the step that is shown. */
function before(run: CompiledRun, text: string, from: RunRecord | null, options: SessionOptions): TrainingSession {
  if (from === null) return new TrainingSession(run, text, options);
  const { step, phase } = from.position;
  // Its batch loaded and nothing else done: at the end of the step before, that one would be done again as well.
  const position = { step: phase > 0 ? step : Math.max(0, step - 1), phase: 1 };
  try {
    return TrainingSession.resume(run, { ...from, position }, options);
  } catch (error) {
    if (error instanceof RangeError) return new TrainingSession(run, text, options);
    throw error;
  }
}
