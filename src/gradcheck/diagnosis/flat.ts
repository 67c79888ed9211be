// What is computed does not change there, so the gradient is 0, and backprop has another: numbers that are clipped on the
// way forward, and not on the way back.
import type { Explanation } from './explain';
import { largest, type Trial } from './trial';

/** Smaller than this share of the largest wrong number is round-off. */
const ZERO = 1e-9;
/** Entries off by more than this share of the largest right number are wrong. */
const WRONG = 1e-6;

/** Null unless every wrong entry should be 0. Of the layers that are known, more can be said. */
export function whereFlat({ analytic, numeric, of, layer }: Trial): Explanation | null {
  if (layer && layer.kind !== 'custom') return null;
  const [slack, zero] = [WRONG * largest(numeric), ZERO * largest(analytic)];
  let known = 0;
  let wrong = 0;
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i] - numeric[i]) <= Math.max(slack, zero)) continue;
    if (Math.abs(numeric[i]) > zero) return null;
    wrong++;
  }
  if (wrong === 0) return null;
  const where = wrong === known ? 'everywhere' : `at ${wrong} of ${known} entries`;
  const flat = of === 'prediction' ? 'the loss is flat' : 'what the layer gives is flat';
  return {
    cause: 'flat',
    words: `should be 0 ${where}, because ${flat} there, as where numbers are clipped; the backward pass does not know of it`,
    factor: null, dimension: null, residual: 0,
  };
}
