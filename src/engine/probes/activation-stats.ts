// Statistics of a layer's output over the batch: its distribution and the share of idle units.

import type { ActivationStats } from '../../protocol/layer-stats';
import type { Kernels } from '../kernels/kernels';
import { numel, type Tensor, type Shape1 } from '../kernels/tensor';
import type { Idleness } from '../layers/layer';

export const HISTOGRAM_BINS = 32;

/** @param output [batch, ...units]. */
export function measureActivation(kernels: Kernels, output: Tensor, idleness: Idleness | undefined): ActivationStats {
  const { mean, std, min, max } = tensorStats(kernels, output);
  const histogram = new Uint32Array(HISTOGRAM_BINS);
  kernels.histogram(histogram, output, min, max);
  return { histogram, low: min, high: max, mean, std, idle: idleness ? idleFraction(kernels, output, idleness) : null };
}

/** Mean, standard deviation, range and Euclidean norm of a tensor. */
export function tensorStats(
  kernels: Kernels,
  x: Tensor,
): { mean: number; std: number; min: number; max: number; norm: number } {
  const { sum, sumOfSquares, sumOfSquaredDeviations, min, max } = kernels.moments(x);
  const n = x.data.length;
  return { mean: sum / n, std: Math.sqrt(sumOfSquaredDeviations / n), min, max, norm: Math.sqrt(sumOfSquares) };
}

function idleFraction(kernels: Kernels, output: Tensor, { active, threshold }: Idleness): number {
  const [batch, ...unit] = output.shape as Shape1;
  const counts = new Uint32Array(numel(unit));
  kernels.countOutside(counts, output, active.above, active.below);
  let idle = 0;
  for (const count of counts) if (count > threshold * batch) idle++;
  return idle / counts.length;
}
