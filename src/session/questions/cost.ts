// What a gradient costs by one forward pass a parameter, and by backprop, of one of a row of growing networks: asked one
// after the other, so that whoever asks can show how far it is, and stop.
import { type Cost, GROWING, measureCost } from '../cost';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

export interface CostAnswer {
  readonly cost: Cost;
  /** How many networks there are. */
  readonly of: number;
  readonly batchSize: number;
}

/** Milliseconds that the naive way may take of a network: a run in progress waits meanwhile. */
const MOST_MS = 250;

export const cost = defineQuestion({
  about: 'cost',
  /** Null beyond the last network, and where the session has no clock. */
  answer({ run, now }: TrainingSession, { index }: { readonly index: number }): CostAnswer | null {
    const size = GROWING[index];
    if (!size || !now) return null;
    return { cost: measureCost(run, size, now, MOST_MS), of: GROWING.length, batchSize: run.batchSize };
  },
});
