// How large a gradient is, and how its entries are spread.
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export interface GradientReading {
  /** Euclidean norm. */
  readonly norm: number;
  readonly mean: number;
  /** Standard deviation over all entries (divided by their number). */
  readonly std: number;
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
}

export function measureGradient(kernels: Kernels, gradient: Tensor): GradientReading {
  const { sum, sumOfSquares, sumOfDeviations, min, max } = kernels.moments(gradient);
  const n = gradient.data.length;
  return {
    norm: Math.sqrt(sumOfSquares),
    mean: sum / n,
    std: Math.sqrt(sumOfDeviations / n),
    meanAbsolute: kernels.absoluteSum(gradient) / n,
    maxAbsolute: Math.max(-min, max),
  };
}
