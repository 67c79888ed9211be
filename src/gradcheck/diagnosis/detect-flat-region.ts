// Detects values that are clipped in the forward pass but not in the backward pass: the loss is flat there, so the
// right gradient is 0, but backprop's is not.
import { type Explanation, makeExplanation } from './explanation';
import { maxAbs, type GradientComparison } from './gradient-comparison';

/** Values below this share of the largest wrong one are round-off. */
const ZERO_TOLERANCE = 1e-9;
/** Entries whose error exceeds this share of the largest right value are wrong. */
const RELATIVE_TOLERANCE = 1e-6;

/** Null unless the right value of every wrong entry is 0. For some layers the explanation is more specific. */
export function detectFlatRegion({ analytic, numeric, subject, layer }: GradientComparison): Explanation | null {
  if (layer && layer.kind !== 'custom') return null;
  const [tolerance, zero] = [RELATIVE_TOLERANCE * maxAbs(numeric), ZERO_TOLERANCE * maxAbs(analytic)];
  let known = 0;
  let wrong = 0;
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i]! - numeric[i]!) <= Math.max(tolerance, zero)) continue;
    if (Math.abs(numeric[i]!) > zero) return null;
    wrong++;
  }
  if (wrong === 0) return null;
  const where = wrong === known ? 'everywhere' : `at ${wrong} of ${known} entries`;
  const what = subject === 'prediction' ? 'the loss is flat' : 'the output of the layer is flat';
  return makeExplanation(
    'flat',
    `should be 0 ${where}, because ${what} there, for example because values are clipped; the backward pass ignores that`,
  );
}
