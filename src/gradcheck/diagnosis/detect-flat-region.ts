// Detects values that are clipped in the forward pass but not in the backward pass: the loss is flat there, so the
// right gradient is 0, but backprop's is not. A wrong factor elsewhere is a second fault.
import { type Explanation, makeExplanation } from './explanation';
import { nameFactor } from './factors';
import { EXPLAINED_RESIDUAL, fit } from './fit';
import { maxAbs, type GradientComparison } from './gradient-comparison';

/** Values below this share of the largest wrong one are round-off. */
const ZERO_TOLERANCE = 1e-9;
/** Entries whose error exceeds this share of the largest right value are wrong. */
const RELATIVE_TOLERANCE = 1e-6;

/**
 * Null unless the right value of every wrong entry is 0, or of some, and a known factor explains all others. For some
 * layers the explanation is more specific.
 */
export function detectFlatRegion(comparison: GradientComparison): Explanation | null {
  const { analytic, numeric, subject, layer, dimensions } = comparison;
  if (layer && layer.kind !== 'custom') return null;
  const [tolerance, zero] = [RELATIVE_TOLERANCE * maxAbs(numeric), ZERO_TOLERANCE * maxAbs(analytic)];
  let known = 0;
  let flat = 0;
  let others = 0;
  const elsewhere = numeric.slice();
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i]! - numeric[i]!) <= Math.max(tolerance, zero)) continue;
    if (Math.abs(numeric[i]!) > zero) {
      others++;
      continue;
    }
    flat++;
    elsewhere[i] = NaN;
  }
  if (flat === 0) return null;
  const where = flat === known ? 'everywhere' : `at ${flat} of ${known} entries`;
  const what = subject === 'prediction' ? 'the loss is flat' : 'the output of the layer is flat';
  const description = `should be 0 ${where}, because ${what} there, for example because values are clipped; the backward pass ignores that`;
  if (others === 0) return makeExplanation('flat', description);
  const { factor, residual } = fit(analytic, elsewhere, elsewhere);
  const named = nameFactor(factor, dimensions);
  if (!named || others < 2 || residual >= EXPLAINED_RESIDUAL) return null;
  return {
    cause: 'flat',
    description: `${description}. Elsewhere, it ${named.description}`,
    factor: named.factor,
    dimension: named.dimension,
    residual,
  };
}
