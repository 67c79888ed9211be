// What a gradient check reports: counts by verdict for every parameter, the worst entry, the points of the plot of
// numeric against analytic gradients, and the diagnosis.
import type { SourceLocation } from './problem';

/** A layer's mode. */
export type Mode = 'training' | 'evaluation';

/** See docs/gradient-check.md: pass; wrong; a kink was crossed, not comparable; both below round-off. */
export type Verdict = 'pass' | 'wrong' | 'kink' | 'below_noise';

/** Reports store a verdict as an index into this list. */
export const VERDICTS = ['pass', 'wrong', 'kink', 'below_noise'] as const satisfies readonly Verdict[];

export interface EntryReport {
  /** Index into the parameter, one number per dimension. */
  readonly index: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| / max(|analytic|, |numeric|); 0 if both are 0, infinite if either is not finite. */
  readonly relativeError: number;
  readonly verdict: Verdict;
}

export interface ParameterCheck {
  /** `linear1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly entries: number;
  readonly checked: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The wrong entry with the largest relative error; without wrong entries, the passed one; null without either. */
  readonly worst: EntryReport | null;
  /** The most severe verdict of any entry, in the order wrong, kink, pass, below_noise. */
  readonly verdict: Verdict;
}

/** What stands for a custom penalty in place of the name of a layer. */
export const PENALTY_NAME = 'the penalty';

/** One layer in isolation, with a random output gradient; or the loss, or a custom penalty. */
export interface LayerCheck {
  /** `linear1`; null for the loss, PENALTY_NAME for a custom penalty. */
  readonly name: string | null;
  readonly kind: string;
  /** Which later layer, or "the loss", makes this layer's output gradient wrong in the whole network; null for none. */
  readonly arriving: string | null;
  /** The gradient of each parameter, then of `input`; for a loss, of `prediction`; for a penalty, by full name. */
  readonly tensors: readonly ParameterCheck[];
  /** Arguments that its forward or backward pass overwrites. */
  readonly overwrites: readonly string[];
  /** Why its forward pass cannot be differentiated; `tensors` is then empty. Undefined otherwise. */
  readonly fault?: Cause;
  /** Set if its forward pass computes in single precision, so that it is checked with a tolerance of 1 %. */
  readonly precision?: 'single';
  /** Its backward pass differs from its forward pass on purpose, for this reason: it is compared with its surrogate. */
  readonly surrogate?: string;
  /** Set if the fault shows only for made-up inputs: what they are like. */
  readonly probe?: string;
}

/** Why a gradient is wrong, as a code. */
export type Cause =
  | 'not_finite'
  | 'missing'
  | 'sign'
  | 'factor'
  | 'transposed'
  | 'shifted'
  | 'reversed'
  | 'permuted'
  | 'absolute_value'
  | 'clipped'
  | 'derivative_missing'
  | 'derivative_at_output'
  | 'derivative_of_output_at_input'
  | 'derivative_of_another'
  | 'derivative_twice'
  | 'wrong_derivative'
  | 'upstream_ignored'
  | 'input_ignored'
  | 'masked_by_gradient'
  | 'mask_inverted'
  | 'diagonal_only'
  | 'not_transposed'
  | 'one_sample'
  | 'one_use'
  | 'sample_missing'
  | 'from_earlier_call'
  | 'target_ignored'
  | 'constant_added'
  | 'weights_added'
  | 'single_entries'
  | 'argument_changed'
  | 'rounded'
  | 'wrong_sum'
  | 'samples_mixed'
  | 'penalty_missing'
  | 'derivative_inverted'
  | 'options_ignored'
  | 'sum_missing'
  | 'not_repeatable'
  | 'accumulated'
  | 'skip_missing'
  | 'penalty_twice'
  | 'flat'
  | 'mirrored'
  | 'place_missing'
  | 'channel_missing'
  | 'time_step_missing'
  | 'overwritten'
  | 'weights_ignored'
  | 'winners_ignored'
  | 'statistics_constant'
  | 'scale_missing'
  | 'unbiased'
  | 'other_mode'
  | 'not_normalized'
  | 'activation_missing'
  | 'input_squared'
  | 'input_sign'
  | 'swapped'
  | 'wrong_at_zero'
  | 'contribution_missing'
  | 'contribution_twice'
  | 'contribution_sign'
  | 'contribution_halved'
  | 'turns_missing'
  | 'wrong_turn'
  | 'wrong_operand'
  | 'wrong_place'
  | 'wrong_count'
  | 'value_for_derivative'
  | 'term_twice'
  | 'term_sign'
  | 'term_wrong'
  | 'axes_wrong'
  | 'stride_wrong'
  | 'part_sign'
  | 'factor_by_place'
  | 'near_ties'
  | 'share_missing'
  | 'mask_missing'
  | 'error_pattern'
  | 'diagnosis_failed'
  | 'unexplained';

/** Why backprop is wrong: which layer, and the explanation that fits best. */
export interface Diagnosis {
  /** The fields below, in one or two sentences. */
  readonly sentence: string;
  /** Null if the loss is wrong, PENALTY_NAME if a custom penalty is. */
  readonly layer: string | null;
  /** Kind of the layer, or of the loss. */
  readonly kind: string;
  /** Its line in the spec, from 1; null if unknown. */
  readonly line: number | null;
  /**
   * The tensor whose gradient is wrong: the short name of a parameter, its full name for a penalty, `input`, or
   * `prediction` for a loss.
   */
  readonly tensor: string;
  /** Its worst entry in isolation; for `input` the first index is the sample. Below, the values there. */
  readonly index: readonly number[] | null;
  readonly analytic: number | null;
  readonly numeric: number | null;
  readonly cause: Cause;
  /** The factor between the explanation and the gradient. */
  readonly factor: number | null;
  /** The dimension whose size equals the factor or its inverse. */
  readonly dimension: { readonly name: string; readonly size: number } | null;
  /** The share of the error that the explanation leaves: 0 explains all, 1 nothing. */
  readonly residual: number | null;
  /** Parameters that are wrong only because their layer receives a wrong output gradient. */
  readonly misled: readonly string[];
  /** For a custom layer: where the function at fault is defined; autograd's gradients follow from the forward pass. */
  readonly place?: SourceLocation;
}

/** The gradient of a layer in isolation: from its manual backward pass, from autograd, and from differences. */
export interface AutogradComparison {
  readonly layer: string;
  /** The short name of a parameter, or `input`. */
  readonly tensor: string;
  /** Largest difference between two methods, relative to the largest entry. */
  readonly writtenAutograd: number;
  readonly writtenNumeric: number;
  readonly autogradNumeric: number;
  /** Which of the three differs from the others; null if they agree. */
  readonly sentence: string | null;
}

export interface WithoutPenalty {
  readonly parameters: readonly ParameterCheck[];
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly passed: boolean;
  readonly complete: boolean;
}

/** Entries evaluated by both methods: the incremental forward pass, and the full one. */
export interface Comparison {
  /** Random entries, and the first that the incremental forward pass found wrong. */
  readonly entries: number;
  /** Largest difference between the two derivatives. */
  readonly largestDifference: number;
  /** False if they differed by more than round-off; every entry was then checked by full forward passes. */
  readonly agreed: boolean;
}

export interface CheckReport {
  /** Position of the run whose weights and batch were checked. */
  readonly step: number;
  readonly samples: number;
  /** The mode of the layers; null if both modes are the same. */
  readonly mode: Mode | null;
  readonly loss: number;
  /** In the whole network, with the penalty. */
  readonly parameters: readonly ParameterCheck[];
  /** The same entries of the loss without the penalty; null if there is none. */
  readonly withoutPenalty: WithoutPenalty | null;
  /** From the first layer to the loss, each in isolation; empty until all of them are checked. */
  readonly layers: readonly LayerCheck[];
  readonly entries: number;
  readonly checked: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** False when cancelled before every entry, and every layer in isolation, was checked. */
  readonly complete: boolean;
  /** No entry is wrong, with or without the penalty, at least one passed, and no layer is wrong in isolation. */
  readonly passed: boolean;
  readonly compared: Comparison;
  /** Null if nothing is wrong, or if the check was cancelled before it found the cause. */
  readonly diagnosis: Diagnosis | null;
  /** For layers with a manual backward pass that autograd can differentiate; undefined without any. */
  readonly autograd?: readonly AutogradComparison[];
  /** Points of the scatter plot, wrong entries and kinks first; a sample for large models. */
  readonly points: {
    readonly analytic: Float64Array;
    readonly numeric: Float64Array;
    /**
     * Error bar of the numeric value: round-off, or the spread of estimates; on a kink, half the difference of the
     * sides.
     */
    readonly errorBar: Float64Array;
    /** Flat index in the parameter, row-major. */
    readonly index: Uint32Array;
    /** Index into `parameters`. */
    readonly parameter: Uint16Array;
    /** Index into `VERDICTS`. */
    readonly verdict: Uint8Array;
  };
  readonly options: { readonly step: number; readonly rtol: number; readonly atol: number };
}

/** The state of a check in progress. */
export interface CheckProgress extends Pick<CheckReport, 'checked' | 'entries' | 'counts'> {
  /** All entries have verdicts; the check now tests each layer in isolation and looks for the cause. */
  readonly diagnosing: boolean;
}

/** One entry in detail: the loss along it, the one-sided derivatives, and the kinks. */
export interface EntryDetail extends EntryReport {
  /** `linear1.weight`. */
  readonly name: string;
  /** Flat, in row-major order. */
  readonly flat: number;
  /** Error bar of the numeric value. */
  readonly errorBar: number;
  /** The entry's value, and the loss there. */
  readonly value: number;
  readonly loss: number;
  /** One-sided derivatives, by a difference of `step`. */
  readonly leftDerivative: number;
  readonly rightDerivative: number;
  readonly step: number;
  /** Losses with the entry set to each of these values, in ascending order. */
  readonly curveValues: Float64Array;
  readonly curveLosses: Float64Array;
  /** Values of the entry at which a kink is crossed, accurate to half the distance of two points. */
  readonly kinks: Float64Array;
}

/**
 * The errors of one parameter in its own shape. If it is too large, a cell stands for several entries and shows the
 * most severe verdict with the largest error.
 */
export interface ErrorMap {
  /** `linear1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of the whole matrix that one cell covers. */
  readonly rowStride: number;
  readonly columnStride: number;
  /** Flat index of the entry that a cell shows, in row-major order. */
  readonly index: Uint32Array;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** Error bar of the numeric value. */
  readonly errorBar: Float64Array;
  /** Relative errors. */
  readonly error: Float64Array;
  /** Index into VERDICTS; 255 if no entry of the cell was checked. */
  readonly verdict: Uint8Array;
}
