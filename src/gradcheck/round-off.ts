// Measures the round-off in a loss. No formula accounts for large numbers that cancel, saturated units, or
// probabilities close to 1.
import type { Tensor } from '../engine/kernels/tensor';
import type { Pass } from '../engine/pass';
import { Random } from '../engine/random';
import { type ForwardPrecision, UNIT_ROUND_OFF } from './forward-precision';

/** Machine epsilon of float64: 2^-52. */
const EPSILON = 2 ** -52;
/** Round-off inside the loss itself, in units of EPSILON and its largest number. */
const ROUND_OFF_FACTOR = 4;
/** Standard deviations that make up the bound. */
const BOUND_DEVIATIONS = 4;
const TRIALS = 16;
/** A layer whose output changes by this share of its largest number when its input changes by an ulp has a jump. */
const JUMP = 1e-4;

/**
 * A bound of the round-off in a pass's loss: its change when every number from the input to the prediction is perturbed
 * in its last place. A custom layer whose input lies on a jump, as integers do that it rounds down, is taken to compute
 * the same value: a step to its other side is no round-off. Leaves the pass unchanged.
 * @param loss the unperturbed loss of the pass
 * @param lossPrecision in which the loss itself is computed
 */
export function estimateRoundOff(
  pass: Pass,
  loss: number,
  precisions: readonly ForwardPrecision[] = [],
  lossPrecision: ForwardPrecision = 'double',
): number {
  const random = new Random(0, 'gradient check: round-off');
  const input = pass.input.data.slice();
  const outputAtJump = pass.outputs.map((_, layer) =>
    jumps(pass, layer, random) ? pass.outputs[layer]!.data.slice() : null,
  );
  let sumOfSquares = 0;
  let count = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    jitter(pass.input, random, EPSILON);
    for (let layer = 0; layer < pass.outputs.length; layer++) {
      const fixed = outputAtJump[layer];
      if (fixed) pass.outputs[layer]!.data.set(fixed);
      else pass.forward(layer);
      jitter(pass.outputs[layer]!, random, 2 * UNIT_ROUND_OFF[precisions[layer] ?? 'double']);
    }
    const change = lossWithClampedProbabilities(pass) - loss;
    pass.input.data.set(input);
    if (!Number.isFinite(change)) continue;
    sumOfSquares += change * change;
    count++;
  }
  pass.evaluate();
  let largest = Math.abs(loss);
  for (const { context } of pass.losses)
    for (const value of context.prediction.data) largest = Math.max(largest, Math.abs(value));
  // Large predictions may cancel in a small loss.
  return Math.max(
    ROUND_OFF_FACTOR * 2 * UNIT_ROUND_OFF[lossPrecision] * largest,
    BOUND_DEVIATIONS * Math.sqrt(sumOfSquares / Math.max(1, count)),
  );
}

/** Whether a custom layer's output jumps when its inputs change in their last place. Leaves the pass unchanged. */
function jumps(pass: Pass, layer: number, random: Random): boolean {
  if (!pass.network.model.layers[layer]!.definition.sourceLocations) return false;
  const output = pass.outputs[layer]!.data;
  const inputs = pass.layerInputs(layer);
  const start = inputs.map(({ data }) => data.slice());
  const expected = output.slice();
  let change = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    for (const tensor of inputs) jitter(tensor, random, EPSILON);
    pass.forward(layer);
    for (let i = 0; i < output.length; i++) change = Math.max(change, Math.abs(output[i]! - expected[i]!));
    inputs.forEach(({ data }, i) => data.set(start[i]!));
  }
  pass.forward(layer);
  let largest = 0;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  return change > JUMP * largest;
}

function jitter({ data }: Tensor, random: Random, unit: number): void {
  for (let i = 0; i < data.length; i++) data[i]! *= 1 + (random.integerBelow(3) - 1) * unit;
}

/** The loss, with probabilities that the perturbation lifted above 1 clamped to 1. */
function lossWithClampedProbabilities(pass: Pass): number {
  const loss = pass.loss();
  if (!Number.isNaN(loss)) return loss;
  for (const { context } of pass.losses) {
    const { data } = context.prediction;
    for (let i = 0; i < data.length; i++) if (data[i]! > 1 && data[i]! < 1 + 4 * EPSILON) data[i] = 1 - EPSILON;
  }
  return pass.loss();
}
