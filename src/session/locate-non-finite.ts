// Finds the step, phase, layer and tensor of the first NaN or infinity of a run.
import type { NonFinite } from '../protocol/frame';
import type { TrainingSession } from './session';

/**
 * Goes to the phase that wrote the first NaN or infinity of the run; null if there is none. Searches backward for as
 * long as it finds any, since a unit with output 0 can hide an earlier one from the loss.
 */
export function locateNonFinite(session: TrainingSession): NonFinite | null {
  let first: NonFinite | null = null;
  for (let step = session.shownStep; step > 0; step--) {
    const found = findFirstInStep(session, step);
    if (!found) break;
    first = found;
  }
  if (!first) return null;
  findFirstInStep(session, first.step);
  session.discardLaterSteps();
  return first;
}

/** Replays step `step`, counted from 1, up to the first phase that writes a non-finite value. */
function findFirstInStep(session: TrainingSession, step: number): NonFinite | null {
  session.seek(step - 1);
  do {
    session.stepPhase();
    const found = session.findNonFinite();
    if (found) return found;
  } while (session.position.phase > 0);
  return null;
}
