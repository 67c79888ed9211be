// Least squares with one unknown: how well `base + factor · values` explains what backprop gave.

export interface Fit {
  readonly factor: number;
  /** What stays unexplained, as a share of backprop's error: 0 explains all of it, 1 nothing. */
  readonly residual: number;
}

/** An error is explained when less than this share of it is left. */
export const EXPLAINED = 1e-3;

const norm = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

/**
 * Entries where any number is not finite are left out.
 * @param factor fitted unless given.
 */
export function fit(
  analytic: Float64Array,
  numeric: Float64Array,
  values: Float64Array,
  base: Float64Array | null = null,
  factor?: number,
): Fit {
  let products = 0;
  let squares = 0;
  let [used, measured] = [0, 0];
  const usable = (i: number): boolean =>
    Number.isFinite(analytic[i]) && Number.isFinite(numeric[i]) && Number.isFinite(values[i]);
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isFinite(analytic[i]) && Number.isFinite(numeric[i])) measured++;
    if (!usable(i)) continue;
    products += (analytic[i] - (base?.[i] ?? 0)) * values[i];
    squares += values[i] * values[i];
    used++;
  }
  const by = factor ?? (squares > 0 ? products / squares : 0);
  if (used * 2 < measured || squares === 0) return { factor: by, residual: Infinity };
  const left: number[] = [];
  const errors: number[] = [];
  for (let i = 0; i < analytic.length; i++) {
    if (!usable(i)) continue;
    left.push(analytic[i] - (base?.[i] ?? 0) - by * values[i]);
    errors.push(analytic[i] - numeric[i]);
  }
  const error = norm(errors);
  return { factor: by, residual: error > 0 ? norm(left) / error : Infinity };
}
