// Reductions of a tensor to one number, in float64. Sums run in four parts, since an addition waits for the one before,
// and add them as the kernels do, so that both give the same bits.
import type { Bound } from './bound';

/** Sum of `term` over all entries. */
function sumOf(x: Bound, term: (value: number) => number): number {
  const { size, at } = x;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < size; i += 4) {
    a += term(at(i));
    b += term(at(i + 1));
    c += term(at(i + 2));
    d += term(at(i + 3));
  }
  for (; i < size; i++) a += term(at(i));
  return a + c + (b + d);
}

export function sum(x: Bound): number {
  const { data, size } = x;
  if (!data) return sumOf(x, (value) => value);
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < size; i += 4) {
    a += data[i]!;
    b += data[i + 1]!;
    c += data[i + 2]!;
    d += data[i + 3]!;
  }
  for (; i < size; i++) a += data[i]!;
  return a + c + (b + d);
}

/** Euclidean norm. */
export function norm(x: Bound): number {
  const { data, size } = x;
  if (!data) return Math.sqrt(sumOf(x, (value) => value * value));
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < size; i += 4) {
    a += data[i]! * data[i]!;
    b += data[i + 1]! * data[i + 1]!;
    c += data[i + 2]! * data[i + 2]!;
    d += data[i + 3]! * data[i + 3]!;
  }
  for (; i < size; i++) a += data[i]! * data[i]!;
  return Math.sqrt(a + c + (b + d));
}

export const mean = (x: Bound): number => sum(x) / x.size;

/** Standard deviation over all entries (divided by their number). */
export function std(x: Bound): number {
  const center = mean(x);
  return Math.sqrt(sumOf(x, (value) => (value - center) ** 2) / x.size);
}

/** NaN if an entry is. */
export function min({ size, at }: Bound): number {
  let least = Infinity;
  // -0 is less than 0, as for the kernels.
  for (let i = 0; i < size; i++) least = Math.min(least, at(i));
  return least;
}

/** NaN if an entry is. */
export function max({ size, at }: Bound): number {
  let most = -Infinity;
  for (let i = 0; i < size; i++) most = Math.max(most, at(i));
  return most;
}

/** The flat index of the first largest entry; NaN counts as the largest, as in PyTorch. */
export function argmax({ size, at }: Bound): number {
  let best = 0;
  let most = at(0);
  for (let i = 1; i < size && !Number.isNaN(most); i++) {
    const value = at(i);
    if (value > most || Number.isNaN(value)) {
      most = value;
      best = i;
    }
  }
  return best;
}

export function any({ size, at }: Bound): number {
  for (let i = 0; i < size; i++) if (at(i) !== 0) return 1;
  return 0;
}

export function all({ size, at }: Bound): number {
  for (let i = 0; i < size; i++) if (at(i) === 0) return 0;
  return 1;
}

/** Linear interpolation between the two nearest entries, as torch.quantile; NaN if an entry is. @param q 0 to 1 */
export function quantile({ size, at }: Bound, q: number): number {
  const sorted = new Float64Array(size);
  for (let i = 0; i < size; i++) sorted[i] = at(i);
  // NaN comes last.
  sorted.sort();
  if (Number.isNaN(sorted[size - 1]!)) return NaN;
  const position = q * (size - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  return low + (sorted[Math.min(below + 1, size - 1)]! - low) * (position - below);
}
