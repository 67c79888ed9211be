// Detects custom layers whose forward pass computes in single precision, from results alone. Along a line in the input,
// a float64 forward pass is smooth to about 1e-15 of its output; one in single precision has steps of 1e-7.
import type { Tensor } from '../engine/kernels/tensor';
import { Random } from '../engine/random';

/** Unit round-off of float32 and float64. */
export const UNIT_ROUND_OFF = { single: 2 ** -24, double: 2 ** -53 } as const;
export type ForwardPrecision = keyof typeof UNIT_ROUND_OFF;

/** Points on the line; below, their distance as a share of max(1, |value|). */
const POINTS = 24;
/** The factor by which fourth differences amplify independent errors: the root of the sum of 1, 16, 36, 16 and 1. */
const FOURTH_DIFFERENCE_GAIN = Math.sqrt(70);
const SPACING = 1e-8;
/** The least round-off of a single-precision forward pass, as a share of the largest output. */
const MIN_ROUGHNESS = 2e-10;
const MAX_ROUGHNESS = 1e-5;
/** The share of changing outputs that must be rough; a kink makes only few outputs rough. */
const MIN_ROUGH_SHARE = 0.25;

/**
 * @param inputs the tensors to perturb: input and parameters. They are restored.
 * @param forward computes the output from them
 */
export function measureForwardPrecision(inputs: readonly Tensor[], forward: () => Tensor['data']): ForwardPrecision {
  const random = new Random(0, 'gradient check: precision');
  const start = inputs.map(({ data }) => data.slice());
  // Slightly off the batch, whose numbers may be short and lie on kinks.
  const base = start.map((data) =>
    Float64Array.from(data, (value) => value * random.uniform(0.9, 1.1) + random.normal(0, 1e-3)),
  );
  const direction = base.map((data) =>
    Float64Array.from(data, (value) => SPACING * Math.max(1, Math.abs(value)) * random.normal(0, 1)),
  );
  const outputs: Float64Array[] = [];
  for (let k = 0; k < POINTS; k++) {
    inputs.forEach(({ data }, t) => {
      for (let i = 0; i < data.length; i++) data[i] = base[t]![i]! + k * direction[t]![i]!;
    });
    outputs.push(Float64Array.from(forward()));
  }
  inputs.forEach(({ data }, t) => data.set(start[t]!));
  let scale = 0;
  for (const value of outputs[0]!) scale = Math.max(scale, Math.abs(value));
  if (!(scale > 0) || !Number.isFinite(scale)) return 'double';
  let changing = 0;
  let rough = 0;
  for (let i = 0; i < outputs[0]!.length; i++) {
    const values = outputs.map((output) => output[i]!);
    if (values.some((value) => !Number.isFinite(value))) continue;
    if (values.every((value) => value === values[0])) continue;
    changing++;
    const roughness = roughnessOf(values) / scale;
    if (roughness > MIN_ROUGHNESS && roughness < MAX_ROUGHNESS) rough++;
  }
  return changing > 0 && rough >= MIN_ROUGH_SHARE * changing ? 'single' : 'double';
}

/**
 * The round-off in equally spaced values of a smooth function, by fourth differences, in which smooth curves cancel.
 */
function roughnessOf(values: readonly number[]): number {
  let most = 0;
  for (let k = 4; k < values.length; k++) {
    // Differences of neighbors first, so that large values cancel without adding round-off.
    const steps = [3, 2, 1, 0].map((back) => values[k - back]! - values[k - back - 1]!);
    most = Math.max(most, Math.abs(steps[3]! - 3 * steps[2]! + 3 * steps[1]! - steps[0]!));
  }
  return most / FOURTH_DIFFERENCE_GAIN;
}
