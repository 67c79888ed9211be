// Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to three diagonals, then implicit QR
// steps with Wilkinson's shift. Source: Golub and Van Loan, "Matrix Computations", 4th edition, sections 8.3.1 to 8.3.3.
import { hypot } from './functions';
import type { InPieces } from './pieces';

export interface Eigen {
  /** In no order. */
  readonly values: Float64Array;
  /** [n, n]; row i is the unit eigenvector of value i. */
  readonly vectors: Float64Array;
}

/** Turns of QR for one value; two or three are usual. */
const MOST_TURNS = 60;

/**
 * @param matrix [n, n], symmetric and finite; overwritten
 * @param words what is being done, for whoever waits
 */
export function* symmetricEigen(matrix: Float64Array, n: number, words: string): InPieces<Eigen> {
  // Squares must neither vanish nor overflow.
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  for (let i = 0; i < matrix.length; i++) matrix[i] /= scale;
  const offDiagonal = new Float64Array(n);
  const reflectors = yield* toThreeDiagonals(matrix, n, offDiagonal, words);
  const values = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
  const vectors = yield* product(reflectors, n, words);
  yield* diagonalize(values, offDiagonal, vectors, n, words);
  return { values: values.map((value) => value * scale), vectors };
}

/** I - factor · v vᵀ, where v begins at row `first`. */
interface Reflector {
  readonly first: number;
  readonly factor: number;
  readonly v: Float64Array;
}

function* toThreeDiagonals(a: Float64Array, n: number, off: Float64Array, words: string): InPieces<Reflector[]> {
  const reflectors: Reflector[] = [];
  const w = new Float64Array(n);
  for (let k = 0; k + 1 < n; k++) {
    const first = k + 1;
    const size = n - first;
    const v = new Float64Array(size);
    for (let i = 0; i < size; i++) v[i] = a[(first + i) * n + k];
    let tail = 0;
    for (let i = 1; i < size; i++) tail += v[i] * v[i];
    // Next to a largest entry of 1 that is nothing.
    if (tail < 1e-80) {
      off[k] = v[0];
      continue;
    }
    const norm = Math.sqrt(v[0] * v[0] + tail);
    const length = v[0] > 0 ? -norm : norm;
    off[k] = length;
    v[0] -= length;
    const factor = 2 / (tail + v[0] * v[0]);
    // The rest of the matrix becomes A - v wᵀ - w vᵀ.
    let inner = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      const row = (first + i) * n + first;
      for (let j = 0; j < size; j++) sum += a[row + j] * v[j];
      w[i] = factor * sum;
      inner += w[i] * v[i];
    }
    for (let i = 0; i < size; i++) w[i] -= (factor / 2) * inner * v[i];
    for (let i = 0; i < size; i++) {
      const row = (first + i) * n + first;
      const [vi, wi] = [v[i], w[i]];
      for (let j = 0; j < size; j++) a[row + j] -= vi * w[j] + wi * v[j];
    }
    reflectors.push({ first, factor, v });
    if (k % 16 === 0) yield words;
  }
  return reflectors;
}

/** The product of all reflectors, transposed: its rows are the columns of the product. */
function* product(reflectors: readonly Reflector[], n: number, words: string): InPieces<Float64Array> {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const { first, factor, v } = reflectors[k];
    // Of the product so far only the block from `first` on differs from the unit matrix.
    for (let row = first; row < n; row++) {
      const at = row * n + first;
      let sum = 0;
      for (let j = 0; j < v.length; j++) sum += q[at + j] * v[j];
      sum *= factor;
      for (let j = 0; j < v.length; j++) q[at + j] -= sum * v[j];
    }
    if (k % 16 === 0) yield words;
  }
  return q;
}

function* diagonalize(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, words: string): InPieces<void> {
  // The largest entry of the matrix is 1.
  const negligible = (k: number): boolean => Math.abs(e[k]) <= Number.EPSILON * (Math.abs(d[k]) + Math.abs(d[k + 1])) + 1e-40;
  for (let high = n - 1, turns = 0; high > 0; ) {
    if (negligible(high - 1)) {
      e[high - 1] = 0;
      high--;
      turns = 0;
      if (high % 16 === 0) yield words;
      continue;
    }
    if (++turns > MOST_TURNS) throw new Error('the eigenvalues of a matrix were not found');
    let low = high - 1;
    while (low > 0 && !negligible(low - 1)) low--;
    turn(d, e, vectors, n, low, high);
  }
}

/** One implicit QR step on the block from `low` to `high`. */
function turn(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, low: number, high: number): void {
  const half = (d[high - 1] - d[high]) / 2;
  const last = e[high - 1];
  const shift = d[high] - (last * last) / (half + (half < 0 ? -1 : 1) * hypot(half, last));
  let x = d[low] - shift;
  let z = e[low];
  for (let k = low; k < high; k++) {
    const r = hypot(x, z);
    const c = r === 0 ? 1 : x / r;
    const s = r === 0 ? 0 : -z / r;
    if (k > low) e[k - 1] = r;
    const [a, b, g] = [d[k], e[k], d[k + 1]];
    d[k] = c * c * a - 2 * c * s * b + s * s * g;
    d[k + 1] = s * s * a + 2 * c * s * b + c * c * g;
    e[k] = c * s * (a - g) + (c * c - s * s) * b;
    if (k + 1 < high) {
      x = e[k];
      z = -s * e[k + 1];
      e[k + 1] *= c;
    }
    for (let at = k * n, next = at + n, end = next; at < end; at++, next++) {
      const [one, two] = [vectors[at], vectors[next]];
      vectors[at] = c * one - s * two;
      vectors[next] = s * one + c * two;
    }
  }
}
