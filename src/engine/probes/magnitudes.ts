// How large the entries of a tensor are, as counts in equal parts of a decade: the same bins at every step, so that
// steps can be compared.
import type { Tensor, TensorData } from '../kernels/tensor';

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
  const { bits, each, at, shift, bins } = parts(data);
  for (let i = 0, from = at; i < data.length; i++, from += each) {
    const x = data[i];
    const bin = bins[(bits[from] & 0x7fffffff) >>> shift];
    if (x === 0) zeros++;
    else if (bin === NOT_FINITE) nonFinite++;
    else counts[bin < MAGNITUDE_BINS - 1 && Math.abs(x) >= EDGES[bin + 1] ? bin + 1 : bin]++;
  }
  return { counts, zeros, nonFinite };
}

const NOT_FINITE = 255;
/** Bits of the fraction that are looked at: a sixteenth of an octave holds one edge at most. */
const FRACTION = 4;

/** The exponents of numbers, with the first bits of their fractions, and the bin that each begins in. */
interface Parts {
  readonly bits: Uint32Array;
  /** From one number to the next, and where the exponent of the first is. */
  readonly each: number;
  readonly at: number;
  readonly shift: number;
  readonly bins: Uint8Array;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const known: { float32?: Uint8Array; float64?: Uint8Array } = {};

function parts(data: TensorData): Parts {
  const words = (n: number): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, n);
  if (data instanceof Float32Array) {
    const shift = 23 - FRACTION;
    known.float32 ??= firstBins(8, (part) => new Float32Array(Uint32Array.of(part << shift).buffer)[0]);
    return { bits: words(data.length), each: 1, at: 0, shift, bins: known.float32 };
  }
  const shift = 20 - FRACTION;
  const high = LITTLE_ENDIAN ? 1 : 0;
  known.float64 ??= firstBins(11, (part) => new Float64Array(Uint32Array.of(high ? 0 : part << shift, high ? part << shift : 0).buffer)[0]);
  return { bits: words(2 * data.length), each: 2, at: high, shift, bins: known.float64 };
}

/** By the bits of exponent and fraction: the bin of the smallest number that has them. */
const firstBins = (exponent: number, smallest: (part: number) => number): Uint8Array =>
  Uint8Array.from({ length: 2 ** (exponent + FRACTION) }, (_, part) => (Number.isFinite(smallest(part)) ? binOf(smallest(part)) : NOT_FINITE));

/** The logarithm is rounded, the edges decide. */
function binOf(size: number): number {
  const at = Math.floor((Math.log10(size) - SMALLEST) * BINS_PER_DECADE);
  if (at < 0) return 0;
  if (at >= MAGNITUDE_BINS) return MAGNITUDE_BINS - 1;
  if (size < EDGES[at] && at > 0) return at - 1;
  return size >= EDGES[at + 1] && at + 1 < MAGNITUDE_BINS ? at + 1 : at;
}
