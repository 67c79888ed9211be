// Least squares with one unknown: how well `base + factor · values` fits backprop's values.

export interface Fit {
  readonly factor: number;
  /** The unexplained share of backprop's error: 0 if it is fully explained, 1 if not at all. */
  readonly residual: number;
}

/** An error counts as explained if less than this share of it remains. */
export const EXPLAINED_RESIDUAL = 1e-3;

const norm = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

/**
 * Ignores entries where any number is not finite.
 * @param factor fitted by default
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
  const isUsable = (i: number): boolean =>
    Number.isFinite(analytic[i]) && Number.isFinite(numeric[i]) && Number.isFinite(values[i]);
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isFinite(analytic[i]) && Number.isFinite(numeric[i])) measured++;
    if (!isUsable(i)) continue;
    products += (analytic[i]! - (base?.[i] ?? 0)) * values[i]!;
    squares += values[i]! * values[i]!;
    used++;
  }
  const fittedFactor = factor ?? (squares > 0 ? products / squares : 0);
  if (used * 2 < measured || squares === 0) return { factor: fittedFactor, residual: Infinity };
  const residuals: number[] = [];
  const errors: number[] = [];
  for (let i = 0; i < analytic.length; i++) {
    if (!isUsable(i)) continue;
    residuals.push(analytic[i]! - (base?.[i] ?? 0) - fittedFactor * values[i]!);
    errors.push(analytic[i]! - numeric[i]!);
  }
  const error = norm(errors);
  return { factor: fittedFactor, residual: error > 0 ? norm(residuals) / error : Infinity };
}
