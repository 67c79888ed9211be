// Eigenvalues and eigenvectors of a symmetric matrix: Householder tridiagonalization, then implicit QR steps with
// Wilkinson's shift. Source: Golub and Van Loan, "Matrix Computations", 4th edition, sections 8.3.1 to 8.3.3.
import type { CooperativeTask } from './cooperative-task';
import { DataError } from './datasets/data-error';
import { hypot } from './deterministic-math';

export interface Eigendecomposition {
  /** Unordered. */
  readonly values: Float64Array;
  /** [n, n]; row i is the unit eigenvector of value i. */
  readonly vectors: Float64Array;
}

/** QR steps for one eigenvalue; two or three are usual. */
const MAX_QR_ITERATIONS = 60;

/**
 * @param matrix [n, n], symmetric; overwritten
 * @param progressMessage what the user is waiting for
 * @throws DataError if the matrix is not finite
 */
export function* symmetricEigen(
  matrix: Float64Array,
  n: number,
  progressMessage: string,
): CooperativeTask<Eigendecomposition> {
  // Scaled so that squares neither underflow nor overflow.
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  if (!Number.isFinite(scale) || matrix.some(Number.isNaN)) throw notSolvable();
  for (let i = 0; i < matrix.length; i++) matrix[i]! /= scale;
  const offDiagonal = new Float64Array(n);
  const reflectors = yield* tridiagonalize(matrix, n, offDiagonal, progressMessage);
  const values = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]!);
  const vectors = yield* accumulateReflectors(reflectors, n, progressMessage);
  yield* diagonalize(values, offDiagonal, vectors, n, progressMessage);
  return { values: values.map((value) => value * scale), vectors };
}

const notSolvable = (): DataError =>
  new DataError(
    'The data is too large: products of its features are not finite.',
    'Scale it with "transforms": ["standardize"].',
  );

/** I - factor · v vᵀ, where v begins at row `first`. */
interface Reflector {
  readonly first: number;
  readonly factor: number;
  readonly v: Float64Array;
}

function* tridiagonalize(
  a: Float64Array,
  n: number,
  offDiagonal: Float64Array,
  progressMessage: string,
): CooperativeTask<Reflector[]> {
  const reflectors: Reflector[] = [];
  const w = new Float64Array(n);
  for (let k = 0; k + 1 < n; k++) {
    const first = k + 1;
    const size = n - first;
    const v = new Float64Array(size);
    for (let i = 0; i < size; i++) v[i] = a[(first + i) * n + k]!;
    let tail = 0;
    for (let i = 1; i < size; i++) tail += v[i]! * v[i]!;
    // Negligible: the largest entry of the matrix is 1.
    if (tail < 1e-80) {
      offDiagonal[k] = v[0]!;
      continue;
    }
    const norm = Math.sqrt(v[0]! * v[0]! + tail);
    const length = v[0]! > 0 ? -norm : norm;
    offDiagonal[k] = length;
    v[0]! -= length;
    const factor = 2 / (tail + v[0]! * v[0]!);
    // The rest of the matrix becomes A - v wᵀ - w vᵀ.
    let inner = 0;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      const row = (first + i) * n + first;
      for (let j = 0; j < size; j++) sum += a[row + j]! * v[j]!;
      w[i] = factor * sum;
      inner += w[i]! * v[i]!;
    }
    for (let i = 0; i < size; i++) w[i]! -= (factor / 2) * inner * v[i]!;
    for (let i = 0; i < size; i++) {
      const row = (first + i) * n + first;
      const [vi, wi] = [v[i]!, w[i]!];
      for (let j = 0; j < size; j++) a[row + j]! -= vi * w[j]! + wi * v[j]!;
    }
    reflectors.push({ first, factor, v });
    if (k % 16 === 0) yield progressMessage;
  }
  return reflectors;
}

/** The transposed product of all reflectors: its rows are the columns of the product. */
function* accumulateReflectors(
  reflectors: readonly Reflector[],
  n: number,
  progressMessage: string,
): CooperativeTask<Float64Array> {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const { first, factor, v } = reflectors[k]!;
    // So far, only the block from `first` on differs from the identity matrix.
    for (let row = first; row < n; row++) {
      const at = row * n + first;
      let sum = 0;
      for (let j = 0; j < v.length; j++) sum += q[at + j]! * v[j]!;
      sum *= factor;
      for (let j = 0; j < v.length; j++) q[at + j]! -= sum * v[j]!;
    }
    if (k % 16 === 0) yield progressMessage;
  }
  return q;
}

function* diagonalize(
  d: Float64Array,
  e: Float64Array,
  vectors: Float64Array,
  n: number,
  progressMessage: string,
): CooperativeTask<void> {
  // Relative to the matrix, as in EISPACK's tql2: next to diagonals that are round-off themselves, an off-diagonal
  // entry need not become small relative to them.
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!) + Math.abs(e[i]!));
  const negligible = (k: number): boolean => Math.abs(e[k]!) <= Number.EPSILON * norm;
  for (let high = n - 1, iterations = 0; high > 0;) {
    if (negligible(high - 1)) {
      e[high - 1] = 0;
      high--;
      iterations = 0;
      if (high % 16 === 0) yield progressMessage;
      continue;
    }
    if (++iterations > MAX_QR_ITERATIONS) throw notSolvable();
    let low = high - 1;
    while (low > 0 && !negligible(low - 1)) low--;
    qrStep(d, e, vectors, n, low, high);
  }
}

/** One implicit QR step on the block from `low` to `high`. */
function qrStep(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, low: number, high: number): void {
  const half = (d[high - 1]! - d[high]!) / 2;
  const last = e[high - 1]!;
  const shift = d[high]! - (last * last) / (half + (half < 0 ? -1 : 1) * hypot(half, last));
  let x = d[low]! - shift;
  let z = e[low]!;
  for (let k = low; k < high; k++) {
    const r = hypot(x, z);
    const c = r === 0 ? 1 : x / r;
    const s = r === 0 ? 0 : -z / r;
    if (k > low) e[k - 1] = r;
    const [a, b, g] = [d[k]!, e[k]!, d[k + 1]!];
    d[k] = c * c * a - 2 * c * s * b + s * s * g;
    d[k + 1] = s * s * a + 2 * c * s * b + c * c * g;
    e[k] = c * s * (a - g) + (c * c - s * s) * b;
    if (k + 1 < high) {
      x = e[k]!;
      z = -s * e[k + 1]!;
      e[k + 1]! *= c;
    }
    for (let at = k * n, next = at + n, end = next; at < end; at++, next++) {
      const [one, two] = [vectors[at]!, vectors[next]!];
      vectors[at] = c * one - s * two;
      vectors[next] = s * one + c * two;
    }
  }
}
