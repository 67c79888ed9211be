// How much round-off there is in a loss: measured from its own values, because no formula sees
// cancellation inside the loss or a probability so close to 1 that its last place matters.
import type { Pass } from '../engine/network';
import { Random } from '../engine/random';
import type { LossLine } from './line';

/** Unit of round-off in float64: 2^-52. */
export const EPSILON = 2 ** -52;

/** Standard deviations of measured round-off that are taken for its bound. */
export const DEVIATIONS = 4;

const POINTS = 8;
const LOWEST_ORDER = 4;
const HIGHEST_ORDER = 5;
const WOBBLES = 16;

/**
 * Standard deviation of the round-off in the loss around an entry, by difference tables: high differences of a
 * smooth function vanish, those of noise do not. 0 where a kink or a value that is not finite is in the way.
 * Source: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33(3), 2011.
 */
export function noiseAlong(line: LossLine): number {
  const table = new Float64Array(POINTS);
  // A power of two, so that the points are exact.
  const spacing = 2 ** (Math.ceil(Math.log2(Math.max(1, Math.abs(line.start)))) - 23);
  for (let i = 0; i < POINTS; i++) {
    table[i] = line.at(line.start + (i - POINTS / 2) * spacing);
    if (line.crossed() || !Number.isFinite(table[i])) return 0;
  }
  let noise = 0;
  // (k!)² / (2k)!, by which the mean square of the k-th differences exceeds the variance of the values.
  let gamma = 1;
  for (let order = 1; order <= HIGHEST_ORDER; order++) {
    const count = POINTS - order;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      table[i] = table[i + 1] - table[i];
      squares += table[i] * table[i];
    }
    gamma *= order / (2 * (2 * order - 1));
    if (order >= LOWEST_ORDER) noise = Math.max(noise, Math.sqrt((gamma * squares) / count));
  }
  return noise;
}

/**
 * Standard deviation of the loss while every prediction wobbles by up to one unit in its last place. Sees what a
 * line of losses may miss: a saturated prediction stands still over many steps, then jumps. Leaves the pass as it was.
 */
export function noiseOfLoss(pass: Pass): number {
  const { data } = pass.prediction;
  const loss = pass.loss();
  const kept = data.slice();
  const random = new Random(0, 'gradient check: wobble');
  let squares = 0;
  let count = 0;
  for (let wobble = 0; wobble < WOBBLES; wobble++) {
    for (let i = 0; i < data.length; i++) data[i] = kept[i] * (1 + (random.below(3) - 1) * EPSILON);
    let change = pass.loss() - loss;
    // A probability of 1 can only go down.
    if (!Number.isFinite(change)) {
      for (let i = 0; i < data.length; i++) data[i] = Math.sign(kept[i]) * Math.min(Math.abs(data[i]), Math.abs(kept[i]));
      change = pass.loss() - loss;
    }
    if (!Number.isFinite(change)) continue;
    squares += change * change;
    count++;
  }
  data.set(kept);
  return count > 0 ? Math.sqrt(squares / count) : 0;
}
