// Detects a backward pass that returns different gradients for the same arguments.
import type { Cause } from '../../protocol/check-report';
import { EXPLAINED_RESIDUAL, fit } from './fit';
import { zipWith } from './hypotheses/hypothesis';
import { maxAbs, type GradientComparison } from './gradient-comparison';

/** Two calls may differ by this share of the largest number. */
const REPEAT_TOLERANCE = 1e-9;

export function detectNondeterminism({
  analytic,
  numeric,
  layer,
  loss,
  repeatBackward,
}: GradientComparison): { readonly cause: Cause; readonly description: string } | null {
  const repeated = layer?.repeatBackward() ?? loss?.repeatBackward() ?? repeatBackward?.();
  if (!repeated) return null;
  const [first, second] = repeated;
  const tolerance = REPEAT_TOLERANCE * maxAbs(numeric);
  const isSame = (a: Float64Array, b: Float64Array): boolean =>
    a.every((value, i) => Math.abs(value - b[i]!) <= tolerance);
  if (isSame(first, analytic) && isSame(second, first)) return null;
  const growth = zipWith(second, first, (b, a) => b - a);
  const isRight = (values: Float64Array): boolean => {
    const { residual } = fit(
      values,
      growth.map(() => 0),
      numeric,
      null,
      1,
    );
    return residual < EXPLAINED_RESIDUAL;
  };
  if (isRight(growth))
    return {
      cause: 'accumulated',
      description: 'grows with every call: gradients of earlier steps are accumulated because they are not set to zero',
    };
  if (isRight(second))
    return {
      cause: 'from_earlier_call',
      description: 'depends on the previous call: values of an earlier step are kept',
    };
  return {
    cause: 'not_repeatable',
    description:
      'differs each time, although nothing has changed: its backward draws new random numbers instead of those of the forward pass, or keeps state',
  };
}
