// Whether a run learns, from the losses of the observed steps.
import type { Observation } from './run-rule';

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Losses of the latest observed steps, this one included. */
export const recentLosses = ({ past, loss }: Observation, count: number): number[] => [
  ...past.slice(1 - count).map((each) => each.loss),
  loss,
];

/** A loss below these parts of the first one is being learned, or has been. */
const [LEARNING, LEARNED] = [0.9, 0.7];

function hasFallenTo(share: number, observation: Observation): boolean {
  const [first] = observation.past;
  return first !== undefined && median(recentLosses(observation, 5)) < share * first.loss;
}

/** What looks odd in a network that learns well is no finding: its units saturate when it is sure. */
export const hasLearned = (observation: Observation): boolean => hasFallenTo(LEARNED, observation);

export const isLearning = (observation: Observation): boolean => hasFallenTo(LEARNING, observation);

/** Observed steps whose losses are compared; there are eight for each doubling of the steps. */
const STALL_WINDOW = 8;
const STALLED = 0.8;
/** A loss below this part of the first one is good enough. */
const SOLVED = 0.05;

/** Whether the loss no longer falls, although it is still far from 0. */
export function hasStalled(observation: Observation): boolean {
  const losses = recentLosses(observation, 2 * STALL_WINDOW);
  if (losses.length < 2 * STALL_WINDOW || hasFallenTo(SOLVED, observation)) return false;
  return median(losses.slice(STALL_WINDOW)) > STALLED * median(losses.slice(0, STALL_WINDOW));
}
