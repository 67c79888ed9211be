// Cross-entropy with class weights, smoothed labels and rows without a target.
import { exp, log } from '../deterministic-math';
import type { Tensor } from './tensor';

export interface CrossEntropyVariant {
  /** One for each class; 1 by default. */
  readonly weight: readonly number[] | null;
  /** The share of each target that is spread evenly over all classes. */
  readonly labelSmoothing: number;
}

/** The target of entry j of a row of n classes, weighted. Rows of zeros have no target. */
const weightedTarget = (t: number, j: number, n: number, { weight, labelSmoothing }: CrossEntropyVariant): number =>
  (weight ? weight[j]! : 1) * ((1 - labelSmoothing) * t + labelSmoothing / n);

/** Whether the row of n numbers from `from` has a target. */
function hasTarget(t: Tensor['data'], from: number, n: number): boolean {
  for (let j = from; j < from + n; j++) if (t[j] !== 0) return true;
  return false;
}

/** What a mean divides by: the weights of the targets' classes, or the rows that have a target. */
export function targetWeight({ shape, data }: Tensor, { weight }: CrossEntropyVariant): number {
  const n = shape[shape.length - 1]!;
  let sum = 0;
  for (let from = 0; from < data.length; from += n) {
    if (!weight) sum += hasTarget(data, from, n) ? 1 : 0;
    else for (let j = 0; j < n; j++) sum += weight[j]! * data[from + j]!;
  }
  return sum;
}

/** Σ over rows of Σ_c w_c t_c (log Σ exp x - x_c). */
export function weightedCrossEntropy(x: Tensor, t: Tensor, variant: CrossEntropyVariant): number {
  const n = x.shape[x.shape.length - 1]!;
  let total = 0;
  for (let from = 0; from < x.data.length; from += n) {
    if (!hasTarget(t.data, from, n)) continue;
    const { max, sum } = exponentials(x.data, from, n);
    const logSum = log(sum);
    for (let j = 0; j < n; j++) {
      const target = weightedTarget(t.data[from + j]!, j, n, variant);
      // Takes the difference of the logits first, as crossEntropy does.
      if (target !== 0) total += target * (max - x.data[from + j]! + logSum);
    }
  }
  return total;
}

/** dx = its gradient, divided by the weight of the targets for a mean. */
export function weightedCrossEntropyBackward(
  dx: Tensor,
  x: Tensor,
  t: Tensor,
  variant: CrossEntropyVariant,
  mean: boolean,
): void {
  const n = x.shape[x.shape.length - 1]!;
  const scale = 1 / (mean ? targetWeight(t, variant) : 1);
  for (let from = 0; from < x.data.length; from += n) {
    if (!hasTarget(t.data, from, n)) {
      dx.data.fill(0, from, from + n);
      continue;
    }
    const { max, sum } = exponentials(x.data, from, n);
    let mass = 0;
    for (let j = 0; j < n; j++) mass += weightedTarget(t.data[from + j]!, j, n, variant);
    for (let j = 0; j < n; j++)
      dx.data[from + j] =
        scale * ((exp(x.data[from + j]! - max) / sum) * mass - weightedTarget(t.data[from + j]!, j, n, variant));
  }
}

/** The maximum of a row, and the sum of exp(x - maximum). */
function exponentials(x: Tensor['data'], from: number, n: number): { readonly max: number; readonly sum: number } {
  let max = -Infinity;
  for (let j = from; j < from + n; j++) max = Math.max(max, x[j]!);
  let sum = 0;
  for (let j = from; j < from + n; j++) sum += exp(x[j]! - max);
  return { max, sum };
}
