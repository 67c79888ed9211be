// How much round-off there is in a loss: tried out, because no formula sees what large numbers that cancel,
// saturated units, or a probability close to 1 make of it.
import type { Tensor } from '../engine/kernels/tensor';
import type { Pass } from '../engine/network';
import { Random } from '../engine/random';

/** Unit of round-off in float64: 2^-52. */
const EPSILON = 2 ** -52;
/** Round-off inside the loss itself, in units of EPSILON and its largest number. */
const ROUND_OFF = 4;
/** Standard deviations that are taken for a bound. */
const DEVIATIONS = 4;
const TRIALS = 16;

/**
 * A bound of the round-off in a pass's loss: how far it strays while every number on the way, from the input to
 * the prediction, wobbles in its last place. Leaves the pass as it was.
 * @param loss the loss of the pass as it is.
 */
export function roundOff(pass: Pass, loss: number): number {
  const random = new Random(0, 'gradient check: round-off');
  const input = pass.input.data.slice();
  let squares = 0;
  let count = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    wobble(pass.input, random);
    for (let layer = 0; layer < pass.outputs.length; layer++) {
      pass.forward(layer);
      wobble(pass.outputs[layer], random);
    }
    const change = lossWithin(pass) - loss;
    pass.input.data.set(input);
    if (!Number.isFinite(change)) continue;
    squares += change * change;
    count++;
  }
  pass.evaluate();
  let largest = Math.abs(loss);
  for (const value of pass.prediction.data) largest = Math.max(largest, Math.abs(value));
  // Large predictions may cancel in a small loss.
  return Math.max(ROUND_OFF * EPSILON * largest, DEVIATIONS * Math.sqrt(squares / Math.max(1, count)));
}

function wobble({ data }: Tensor, random: Random): void {
  for (let i = 0; i < data.length; i++) data[i] *= 1 + (random.below(3) - 1) * EPSILON;
}

/** The loss; where a wobble has lifted a probability above 1, that goes back down. */
function lossWithin(pass: Pass): number {
  const loss = pass.loss();
  if (!Number.isNaN(loss)) return loss;
  const { data } = pass.prediction;
  for (let i = 0; i < data.length; i++) if (data[i] > 1 && data[i] < 1 + 4 * EPSILON) data[i] = 1 - EPSILON;
  return pass.loss();
}
