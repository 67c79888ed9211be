// A backward pass is linear in the output gradient. One that is not usually uses it where the input was meant, clips or
// normalizes it, or ignores it.
import { type Explanation, makeExplanation } from './explanation';
import { type GradientComparison, maxAbs } from './gradient-comparison';

const TOLERANCE = 1e-9;

/** Null if the gradient is linear in the output gradient, as far as three multiples and two halves of that show. */
export function detectNonlinearBackward({ layer, analytic }: GradientComparison): Explanation | null {
  if (!layer?.isCustom) return null;
  const { upstream } = layer;
  const gradientFor = (factor: number): Float64Array => layer.gradientFor(upstream.map((value) => factor * value));
  const tolerance = TOLERANCE * maxAbs(analytic);
  const isMultiple = (values: Float64Array, factor: number): boolean =>
    values.every((value, i) => !(Math.abs(value - factor * analytic[i]!) > tolerance));
  const forZero = gradientFor(0);
  // A backward pass that gives something else for the same gradient is named elsewhere.
  if (forZero.length !== analytic.length || !isMultiple(gradientFor(1), 1)) return null;
  const worst = forZero.reduce((most, value, i) => (Math.abs(value) > Math.abs(forZero[most]!) ? i : most), 0);
  if (Math.abs(forZero[worst]!) > tolerance)
    return makeExplanation(
      'upstream_ignored',
      `has a part that ignores the output gradient: where that is 0 everywhere, it is ${formatShort(forZero[worst]!)} instead of 0`,
    );
  if (!isMultiple(gradientFor(2), 2))
    return makeExplanation(
      'masked_by_gradient',
      'is not proportional to the output gradient: a function is applied to that, such as clipping, or one that belongs to the input',
    );
  if (!isMultiple(gradientFor(-1), -1))
    return makeExplanation(
      'masked_by_gradient',
      'depends on the sign of the output gradient: a mask or an absolute value is made from that instead of from the input',
    );
  const halves = [0, 1].map((odd) => layer.gradientFor(upstream.map((value, i) => (i % 2 === odd ? value : 0))));
  if (
    !isMultiple(
      halves[0]!.map((value, i) => value + halves[1]![i]!),
      1,
    )
  )
    return makeExplanation(
      'masked_by_gradient',
      'is not a sum of what each entry of the output gradient contributes: that is normalized, or compared with its own entries',
    );
  return null;
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));
