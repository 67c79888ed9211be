// Penalties on the size of weights: part of the loss that is trained on, of its gradient, and of the gradient check.
import type { Kernels } from './kernels/kernels';
import type { Tensor } from './kernels/tensor';

/**
 * l1 Σ|w| + ½ l2 Σw². The half makes l2 the same number as an optimizer's weight_decay in plain SGD: the gradient is
 * l1 sign(w) + l2 w. At w = 0 the first term has a kink; its slope there is taken to be 0.
 */
export interface Penalty {
  readonly l1: number;
  readonly l2: number;
  /** Whether parameters of one dimension, such as biases, count too. */
  readonly biases: boolean;
}

interface Penalized {
  readonly value: Tensor;
  readonly gradient: Tensor;
}

export const isPenalized = ({ l1, l2, biases }: Penalty, { value }: Penalized): boolean =>
  (l1 !== 0 || l2 !== 0) && (biases || value.shape.length > 1);

/** The penalty on these parameters. */
export function penaltyValue(kernels: Kernels, { l1, l2 }: Penalty, parameters: readonly Penalized[]): number {
  let sum = 0;
  for (const { value } of parameters) {
    if (l1 !== 0) sum += l1 * kernels.absoluteSum(value);
    if (l2 !== 0) sum += 0.5 * l2 * kernels.moments(value).sumOfSquares;
  }
  return sum;
}

/** What the penalty on one number of a penalized parameter is. */
export const penaltyOn = ({ l1, l2 }: Penalty, value: number): number => l1 * Math.abs(value) + 0.5 * l2 * value * value;

/** Adds its gradient to theirs. */
export function addPenaltyGradient(kernels: Kernels, { l1, l2 }: Penalty, parameters: readonly Penalized[]): void {
  for (const { value, gradient } of parameters) {
    if (l2 !== 0) kernels.combine(gradient, value, 1, l2);
    if (l1 !== 0) kernels.addSign(gradient, value, l1);
  }
}
