// A hypothesis about a wrong gradient: a description, and the values that backprop would give if it held.
import type { Cause } from '../../../protocol/check-report';

export interface Hypothesis {
  readonly cause: Cause;
  /** Continues the name of the gradient: "is transposed". */
  readonly description: string;
  readonly values: Float64Array;
  /** Added to the product of `values` and the unknown factor. */
  readonly base?: Float64Array;
}

/** In order of preference; undefined is a point at which the task may pause. */
export type Hypotheses = Generator<Hypothesis | undefined, void, undefined>;
export type HypothesisFamily<T> = (trial: T) => Hypotheses;

/** Combines the numbers at each index. */
export function zipWith(a: Float64Array, b: Float64Array, combine: (a: number, b: number) => number): Float64Array {
  return a.map((value, i) => combine(value, b[i]!));
}
