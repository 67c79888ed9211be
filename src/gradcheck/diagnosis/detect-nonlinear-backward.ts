// A backward pass is linear in the output gradient. One that is not uses it where the input was meant, or not at all.
import { type Explanation, makeExplanation } from './explanation';
import { type GradientComparison, maxAbs } from './gradient-comparison';

const TOLERANCE = 1e-9;

/** Null if the gradient is linear in the output gradient, as far as three more calls show. */
export function detectNonlinearBackward({ layer, analytic }: GradientComparison): Explanation | null {
  if (!layer?.isCustom) return null;
  const { upstream } = layer;
  const gradientFor = (factor: number): Float64Array => layer.gradientFor(upstream.map((value) => factor * value));
  const tolerance = TOLERANCE * maxAbs(analytic);
  const isTimes = (values: Float64Array, factor: number): boolean =>
    values.every((value, i) => !(Math.abs(value - factor * analytic[i]!) > tolerance));
  const none = gradientFor(0);
  if (none.length !== analytic.length || !isTimes(gradientFor(1), 1)) return null;
  const worst = none.reduce((most, value, i) => (Math.abs(value) > Math.abs(none[most]!) ? i : most), 0);
  if (Math.abs(none[worst]!) > tolerance)
    return makeExplanation(
      'upstream_ignored',
      `has a part that ignores the output gradient: where that is 0 everywhere, it is ${formatShort(none[worst]!)} instead of 0`,
    );
  if (isTimes(gradientFor(-1), -1)) return null;
  return isTimes(gradientFor(2), 2)
    ? makeExplanation(
        'masked_by_gradient',
        'depends on the sign of the output gradient: a mask or an absolute value is made from that instead of from the input',
      )
    : makeExplanation(
        'masked_by_gradient',
        'is not proportional to the output gradient: a function is applied to that instead of to the input',
      );
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));
