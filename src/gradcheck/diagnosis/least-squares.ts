// Least squares with few unknowns.

/** Columns that are a combination of earlier ones, up to this share, get the factor 0. */
const DEPENDENT = 1e-9;

/** The same for what is left of the diagonal of a matrix of squares. */
const DEPENDENT_PIVOT = 1e-12;

/** The factors with which the columns add up to the target best. */
export function solveLeastSquares(columns: readonly (readonly number[])[], target: readonly number[]): Float64Array {
  // Orthogonalized column by column (modified Gram-Schmidt), which keeps more digits than normal equations.
  const n = columns.length;
  const basis: (readonly number[] | null)[] = [];
  const upper = Array.from({ length: n }, () => new Float64Array(n));
  for (const [k, column] of columns.entries()) {
    const rest = [...column];
    const size = Math.sqrt(dot(rest, rest));
    for (const [j, unit] of basis.entries()) {
      if (!unit) continue;
      const along = dot(unit, rest);
      upper[j]![k] = along;
      for (let i = 0; i < rest.length; i++) rest[i]! -= along * unit[i]!;
    }
    const left = Math.sqrt(dot(rest, rest));
    upper[k]![k] = left;
    basis.push(left > DEPENDENT * size ? rest.map((value) => value / left) : null);
  }
  const remaining = [...target];
  const projections = basis.map((unit) => {
    if (!unit) return 0;
    const along = dot(unit, remaining);
    for (let i = 0; i < remaining.length; i++) remaining[i]! -= along * unit[i]!;
    return along;
  });
  const factors = new Float64Array(n);
  for (let k = n - 1; k >= 0; k--) {
    if (!basis[k]) continue;
    let sum = projections[k]!;
    for (let j = k + 1; j < n; j++) sum -= upper[k]![j]! * factors[j]!;
    factors[k] = sum / upper[k]![k]!;
  }
  return factors;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * Solves equations with a symmetric matrix without negative eigenvalues, by a Cholesky factorization with pivots.
 * Unknowns that depend on others get 0.
 */
export function solveSymmetric(matrix: readonly Float64Array[]): {
  readonly rank: number;
  readonly solve: (right: Float64Array) => Float64Array;
  /** Vectors that the matrix maps to 0: one for each unknown that depends on others. */
  readonly nullSpace: () => Float64Array[];
} {
  const n = matrix.length;
  const a = matrix.map((row) => row.slice());
  const order = Array.from({ length: n }, (_, i) => i);
  const largest = Math.max(...matrix.map((row, i) => row[i]!), 0);
  let rank = 0;
  for (; rank < n; rank++) {
    let best = rank;
    for (let i = rank; i < n; i++) if (a[order[i]!]![order[i]!]! > a[order[best]!]![order[best]!]!) best = i;
    [order[rank], order[best]] = [order[best]!, order[rank]!];
    const p = order[rank]!;
    const pivot = a[p]![p]!;
    if (!(pivot > DEPENDENT_PIVOT * largest)) break;
    for (let i = rank + 1; i < n; i++) {
      const r = order[i]!;
      const factor = a[r]![p]! / pivot;
      if (factor === 0) continue;
      for (let j = rank + 1; j < n; j++) a[r]![order[j]!]! -= factor * a[p]![order[j]!]!;
      a[r]![p] = factor;
    }
  }
  const solve = (right: Float64Array): Float64Array => {
    const y = right.slice();
    for (let k = 0; k < rank; k++)
      for (let i = k + 1; i < rank; i++) y[order[i]!]! -= a[order[i]!]![order[k]!]! * y[order[k]!]!;
    const x = new Float64Array(n);
    for (let k = rank - 1; k >= 0; k--) {
      const p = order[k]!;
      let sum = y[p]!;
      for (let j = k + 1; j < rank; j++) sum -= a[p]![order[j]!]! * x[order[j]!]!;
      x[p] = sum / a[p]![p]!;
    }
    return x;
  };
  const nullSpace = (): Float64Array[] =>
    order.slice(rank).map((dependent) => {
      const vector = solve(Float64Array.from(matrix, (row) => -row[dependent]!));
      vector[dependent] = 1;
      return vector;
    });
  return { rank, solve, nullSpace };
}
