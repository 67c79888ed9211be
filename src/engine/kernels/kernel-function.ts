// Kernel functions k(x, c), in the sense of kernel machines: a measure of the similarity of two samples.
import { exp, integerPower } from '../deterministic-math';
import type { TensorData } from './tensor';

/** Linear: x·c. Polynomial: (gamma x·c + coef0)^degree. RBF: exp(-gamma |x - c|²). */
export interface KernelFunction {
  readonly kernel: 'linear' | 'poly' | 'rbf';
  readonly gamma: number;
  readonly degree: number;
  readonly coef0: number;
}

/** k(x, c) of `size` numbers, from an offset in each array. */
export function kernelValue(
  { kernel, gamma, degree, coef0 }: KernelFunction,
  x: TensorData,
  at: number,
  c: TensorData,
  from: number,
  size: number,
): number {
  let sum = 0;
  if (kernel === 'rbf') {
    // Not as |x|² + |c|² - 2 x·c, which cancels.
    for (let i = 0; i < size; i++) {
      const difference = x[at + i]! - c[from + i]!;
      sum += difference * difference;
    }
    return exp(-gamma * sum);
  }
  for (let i = 0; i < size; i++) sum += x[at + i]! * c[from + i]!;
  return kernel === 'linear' ? sum : integerPower(gamma * sum + coef0, degree);
}
