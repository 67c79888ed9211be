// How large a gradient is.
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export interface GradientReading {
  /** Euclidean norm. */
  readonly norm: number;
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
}

export function measureGradient(kernels: Kernels, gradient: Tensor): GradientReading {
  const { sumOfSquares, min, max } = kernels.moments(gradient);
  return {
    norm: Math.sqrt(sumOfSquares),
    meanAbsolute: kernels.absoluteSum(gradient) / gradient.data.length,
    maxAbsolute: Math.max(-min, max),
  };
}
