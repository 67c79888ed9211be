// The cost of a gradient by one forward pass per parameter, and by backprop, for one of a series of growing networks.
// One query per network, so that the client can show progress and stop.
import type { GradientCostResult } from '../../protocol/queries';
import { NETWORK_SIZES, measureGradientCost } from '../gradient-cost';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** Maximum number of milliseconds for the naive method on one network; a running training waits meanwhile. */
const MAX_NAIVE_MS = 250;

export const gradientCost = defineQuery({
  type: 'gradient_cost',
  /** Null after the last network, and if the session has no clock. */
  resolve({ run, now }: TrainingSession, { index }: { readonly index: number }): GradientCostResult | null {
    const size = NETWORK_SIZES[index];
    if (!size || !now) return null;
    return {
      cost: measureGradientCost(run, size, now, MAX_NAIVE_MS),
      networkCount: NETWORK_SIZES.length,
      batchSize: run.batchSize,
    };
  },
});
