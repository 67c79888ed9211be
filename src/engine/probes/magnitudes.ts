// How large the entries of a tensor are, as counts in equal parts of a decade: the same bins at every step, so that
// steps can be compared.
import type { Tensor } from '../kernels/tensor';

export const BINS_PER_DECADE = 4;
/** Powers of ten; what lies outside is counted in the outermost bins. */
export const SMALLEST = -20;
export const LARGEST = 10;
export const MAGNITUDE_BINS = (LARGEST - SMALLEST) * BINS_PER_DECADE;

export interface Magnitudes {
  /** Bin i holds |x| from `edge(i)` to below `edge(i + 1)`. */
  readonly counts: Uint32Array;
  /** Entries that are exactly 0. */
  readonly zeros: number;
  /** NaN and infinities. */
  readonly nonFinite: number;
}

const EDGES = Float64Array.from({ length: MAGNITUDE_BINS + 1 }, (_, i) => 10 ** (SMALLEST + i / BINS_PER_DECADE));

export const edge = (bin: number): number => EDGES[bin];

export function magnitudesOf({ data }: Tensor): Magnitudes {
  const counts = new Uint32Array(MAGNITUDE_BINS);
  let zeros = 0;
  let nonFinite = 0;
  for (const x of data) {
    if (x === 0) zeros++;
    else if (!Number.isFinite(x)) nonFinite++;
    else counts[binOf(Math.abs(x))]++;
  }
  return { counts, zeros, nonFinite };
}

/** The logarithm is rounded, the edges decide. */
function binOf(size: number): number {
  const at = Math.floor((Math.log10(size) - SMALLEST) * BINS_PER_DECADE);
  if (at < 0) return 0;
  if (at >= MAGNITUDE_BINS) return MAGNITUDE_BINS - 1;
  if (size < EDGES[at] && at > 0) return at - 1;
  return size >= EDGES[at + 1] && at + 1 < MAGNITUDE_BINS ? at + 1 : at;
}
