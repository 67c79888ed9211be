// An explanation of a wrong gradient, in words and numbers, and how good it is.
import type { Dimension } from './gradient-comparison';
import type { Cause } from '../../protocol/check-report';

export interface Explanation {
  readonly cause: Cause;
  /** Continues the name of the gradient: "has its sign flipped". */
  readonly description: string;
  /** The factor by which the explanation's values had to be multiplied. */
  readonly factor: number | null;
  /** The size of the layer or batch that the factor equals, if any. */
  readonly dimension: Dimension | null;
  /** The share of the error that remains; 1 if nothing was found. */
  readonly residual: number;
}

export const makeExplanation = (cause: Cause, description: string, residual = 0): Explanation => ({
  cause,
  description,
  factor: null,
  dimension: null,
  residual,
});

/** Causes that describe where the error shows, not what was done wrong. Each covers many mistakes. */
const GENERIC_CAUSES: ReadonlySet<Cause> = new Set([
  'wrong_derivative',
  'sum_missing',
  'single_entries',
  'flat',
  'error_pattern',
  'samples_mixed',
  'permuted',
]);

/** Specific causes come before generic ones, and these before none. Lower is better. */
export function rankOf({ cause }: Explanation): number {
  if (cause === 'unexplained') return 3;
  if (cause === 'error_pattern') return 2;
  return GENERIC_CAUSES.has(cause) ? 1 : 0;
}
