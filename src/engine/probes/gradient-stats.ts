// Size and spread of a gradient.

import type { GradientStats } from '../../protocol/layer-stats';
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export function measureGradient(kernels: Kernels, gradient: Tensor): GradientStats {
  const { sum, sumOfSquares, sumOfSquaredDeviations, min, max } = kernels.moments(gradient);
  const n = gradient.data.length;
  return {
    norm: Math.sqrt(sumOfSquares),
    mean: sum / n,
    std: Math.sqrt(sumOfSquaredDeviations / n),
    meanAbsolute: kernels.absoluteSum(gradient) / n,
    maxAbsolute: Math.max(-min, max),
  };
}
