// A histogram of the magnitudes of a tensor, with logarithmic bins that are the same at every step, so that steps can
// be compared.
import type { Tensor, TensorData } from '../kernels/tensor';

export const BINS_PER_DECADE = 4;
/** Powers of ten; the outermost bins include everything beyond. */
export const MIN_EXPONENT = -20;
export const MAX_EXPONENT = 10;
export const MAGNITUDE_BINS = (MAX_EXPONENT - MIN_EXPONENT) * BINS_PER_DECADE;

export interface MagnitudeHistogram {
  /** Bin i holds |x| from `edge(i)` to below `edge(i + 1)`. */
  readonly counts: Uint32Array;
  /** Entries that are exactly 0. */
  readonly zeros: number;
  /** NaN and infinities. */
  readonly nonFinite: number;
}

const BIN_EDGES = Float64Array.from(
  { length: MAGNITUDE_BINS + 1 },
  (_, i) => 10 ** (MIN_EXPONENT + i / BINS_PER_DECADE),
);

export const binEdge = (bin: number): number => BIN_EDGES[bin]!;

export function magnitudeHistogram({ data }: Tensor): MagnitudeHistogram {
  const counts = new Uint32Array(MAGNITUDE_BINS);
  let zeros = 0;
  let nonFinite = 0;
  const { bits, stride, offset, shift, bins } = floatBits(data);
  for (let i = 0, from = offset; i < data.length; i++, from += stride) {
    const x = data[i]!;
    const bin = bins[(bits[from]! & 0x7fffffff) >>> shift]!;
    if (x === 0) zeros++;
    else if (bin === NON_FINITE_BIN) nonFinite++;
    else counts[bin < MAGNITUDE_BINS - 1 && Math.abs(x) >= BIN_EDGES[bin + 1]! ? bin + 1 : bin]!++;
  }
  return { counts, zeros, nonFinite };
}

const NON_FINITE_BIN = 255;
/** Leading bits of the fraction in the lookup: a sixteenth of an octave contains at most one edge. */
const FRACTION_BITS = 4;

/** Access to exponents and leading fraction bits, and the bin in which each combination starts. */
interface FloatBits {
  readonly bits: Uint32Array;
  /** Distance between numbers in words, and the word with the exponent of the first. */
  readonly stride: number;
  readonly offset: number;
  readonly shift: number;
  readonly bins: Uint8Array;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const binTables: { float32?: Uint8Array; float64?: Uint8Array } = {};

function floatBits(data: TensorData): FloatBits {
  const words = (n: number): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, n);
  if (data instanceof Float32Array) {
    const shift = 23 - FRACTION_BITS;
    binTables.float32 ??= buildBinTable(8, (part) => new Float32Array(Uint32Array.of(part << shift).buffer)[0]!);
    return { bits: words(data.length), stride: 1, offset: 0, shift, bins: binTables.float32 };
  }
  const shift = 20 - FRACTION_BITS;
  const high = LITTLE_ENDIAN ? 1 : 0;
  binTables.float64 ??= buildBinTable(
    11,
    (part) => new Float64Array(Uint32Array.of(high ? 0 : part << shift, high ? part << shift : 0).buffer)[0]!,
  );
  return { bits: words(2 * data.length), stride: 2, offset: high, shift, bins: binTables.float64 };
}

/** For all bits of exponent and fraction: the bin of the smallest number with them. */
const buildBinTable = (exponent: number, smallest: (part: number) => number): Uint8Array =>
  Uint8Array.from({ length: 2 ** (exponent + FRACTION_BITS) }, (_, part) =>
    Number.isFinite(smallest(part)) ? magnitudeBin(smallest(part)) : NON_FINITE_BIN,
  );

/** The logarithm is rounded, so the edges decide. */
function magnitudeBin(size: number): number {
  const at = Math.floor((Math.log10(size) - MIN_EXPONENT) * BINS_PER_DECADE);
  if (at < 0) return 0;
  if (at >= MAGNITUDE_BINS) return MAGNITUDE_BINS - 1;
  if (size < BIN_EDGES[at]! && at > 0) return at - 1;
  return size >= BIN_EDGES[at + 1]! && at + 1 < MAGNITUDE_BINS ? at + 1 : at;
}
