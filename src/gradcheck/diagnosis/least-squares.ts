// Least squares with few unknowns.

/** Columns that are a combination of earlier ones, up to this share, get the factor 0. */
const DEPENDENT = 1e-9;

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
