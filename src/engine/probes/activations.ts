// What a layer's output looks like over the batch: its distribution, and how many units are idle.
import type { Kernels } from '../kernels/kernels';
import { sizeOf, type Tensor } from '../kernels/tensor';
import type { Idleness } from '../layers/layer';

export const HISTOGRAM_BINS = 32;

export interface ActivationReading {
  /** Counts of HISTOGRAM_BINS equal bins over [low, high]. */
  readonly histogram: Uint32Array;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  /** Standard deviation over all entries (divided by their number). */
  readonly std: number;
  /** Share of dead or saturated units, 0 to 1; null where the layer has no such notion. */
  readonly idle: number | null;
}

/** @param output [batch, ...units]. */
export function measureActivation(kernels: Kernels, output: Tensor, idleness: Idleness | undefined): ActivationReading {
  const { mean, std, min, max } = summarize(kernels, output);
  const histogram = new Uint32Array(HISTOGRAM_BINS);
  kernels.histogram(histogram, output, min, max);
  return { histogram, low: min, high: max, mean, std, idle: idleness ? idleShare(kernels, output, idleness) : null };
}

/** Mean, standard deviation, range and Euclidean norm of a tensor. */
export function summarize(kernels: Kernels, x: Tensor): { mean: number; std: number; min: number; max: number; norm: number } {
  const { sum, sumOfSquares, sumOfDeviations, min, max } = kernels.moments(x);
  const n = x.data.length;
  return { mean: sum / n, std: Math.sqrt(sumOfDeviations / n), min, max, norm: Math.sqrt(sumOfSquares) };
}

function idleShare(kernels: Kernels, output: Tensor, { active, share }: Idleness): number {
  const [batch, ...unit] = output.shape;
  const counts = new Uint32Array(sizeOf(unit));
  kernels.countOutside(counts, output, active.above, active.below);
  let idle = 0;
  for (const count of counts) if (count > share * batch) idle++;
  return idle / counts.length;
}
