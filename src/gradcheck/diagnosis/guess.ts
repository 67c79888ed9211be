// What a wrong gradient might be: an explanation in words, and the numbers that backprop would give if it held.

/** Why a gradient is wrong, for whoever does not read the sentence. */
export type Cause =
  | 'not_finite' | 'missing' | 'sign' | 'factor' | 'transposed' | 'shifted' | 'reversed' | 'permuted' | 'absolute_value' | 'clipped'
  | 'derivative_missing' | 'derivative_at_output' | 'derivative_of_output_at_input' | 'derivative_of_another' | 'derivative_twice' | 'wrong_derivative'
  | 'upstream_ignored' | 'input_ignored' | 'masked_by_gradient' | 'mask_inverted' | 'diagonal_only' | 'not_transposed'
  | 'one_sample' | 'sample_missing' | 'from_earlier_call' | 'target_ignored' | 'constant_added' | 'weights_added' | 'single_entries'
  | 'argument_changed' | 'rounded' | 'wrong_sum' | 'samples_mixed' | 'penalty_missing' | 'derivative_inverted' | 'options_ignored' | 'sum_missing'
  | 'not_repeatable' | 'accumulated' | 'skip_missing' | 'penalty_twice' | 'flat'
  | 'mirrored' | 'place_missing' | 'channel_missing' | 'overwritten' | 'weights_ignored' | 'winners_ignored'
  | 'statistics_constant' | 'scale_missing' | 'unbiased' | 'other_mode' | 'not_normalized' | 'activation_missing' | 'input_squared' | 'input_sign' | 'unexplained';

export interface Guess {
  readonly cause: Cause;
  /** After the name of the gradient: "is transposed". */
  readonly words: string;
  readonly values: Float64Array;
  /** The unknown factor multiplies `values` and this is added. */
  readonly base?: Float64Array;
}

/** Those of one family that can be tried on a trial; an array is one family's order of preference. */
export type Guesses<T> = (trial: T) => Iterable<Guess>;

/** `combine` of the numbers at each place. */
export function zip(a: Float64Array, b: Float64Array, combine: (a: number, b: number) => number): Float64Array {
  return a.map((value, i) => combine(value, b[i]));
}
