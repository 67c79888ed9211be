// A second session of the same run, to look at another step of it, or at another way on from there, without disturbing
// the first. It goes in short slices, so that whoever waits for it can be told how far it is, and stop asking.
import { formatBytes } from '../spec/memory';
import { CommandError } from './command';
import { TrainingSession } from './session';
import { workOf } from './whole-step';

/** Multiply-adds of a slice, and its most steps: some 20 milliseconds. */
const SLICE_WORK = 2e7;
const SLICE_STEPS = 1000;

/** Bytes of a network above which no second one is made. */
export const MOST_MEMORY = 512 * 2 ** 20;

/** Takes no copies of its own to go back to. */
const NEVER = 2 ** 40;

/** Stands at or before `step`, ready to be trained up to it. */
export function beside(session: TrainingSession, step: number): TrainingSession {
  const { memory } = session.network;
  if (memory > MOST_MEMORY) {
    throw new CommandError(`Another step is computed by a second copy of the network; this one takes ${formatBytes(memory)}, and copies are made up to ${formatBytes(MOST_MEMORY)}.`);
  }
  const record = { ...session.record({ step, phase: 0 }), position: { step: 0, phase: 0 }, frontier: 0 };
  const { backend, wideVectors } = session.kernelOptions;
  const other = TrainingSession.resume(session.run, record, { backend, wideVectors, checkpointBudget: 0, checkpointInterval: NEVER });
  other.rewind(step);
  return other;
}

/** Steps that fit into a slice; at least one. */
export const stepsOfSlice = ({ model, network }: TrainingSession): number =>
  Math.max(1, Math.min(SLICE_STEPS, Math.floor(SLICE_WORK / workOf(model, network))));

/** Trains up to `step`, for one slice. @returns whether it is there. */
export function advance(other: TrainingSession, step: number): boolean {
  for (let left = stepsOfSlice(other); left > 0 && other.position.step < step; left--) other.step();
  return other.position.step >= step;
}
