// A gradient computed by a layer or a loss, with its numeric counterpart and everything that hypotheses are tested
// with.
import type { Shape } from '../../engine/kernels/tensor';
import { DIFFERENCE_RULES } from './five-point-derivative';

/** A size that a wrong factor may equal. */
export interface Dimension {
  readonly name: string;
  readonly size: number;
  /** The size in isolation, if it differs: a layer in isolation gets a number of samples that no other size equals. */
  readonly isolatedSize?: number;
}

/** What to change when the numeric gradient is measured again. */
export interface Overrides {
  readonly upstream?: Float64Array;
  readonly input?: Float64Array;
  readonly options?: unknown;
  /** Values of parameters, by short name. */
  readonly parameters?: ReadonlyMap<string, Float64Array>;
}

export interface GradientComparison {
  /** With respect to the first input (dL/dx) or a further one, a parameter, or the prediction. */
  readonly subject: 'input' | 'other_input' | 'parameter' | 'prediction';
  /** `weight`, `input`, `inputs[1]` or `prediction`. */
  readonly tensor: string;
  /** With the batch in front, if there is one. */
  readonly shape: Shape;
  /** From the backward pass. */
  readonly analytic: Float64Array;
  /** From differences of the forward pass; NaN at kinks and where it was not measured. */
  readonly numeric: Float64Array;
  /** The value of the tensor. */
  readonly value: Float64Array;
  readonly dimensions: readonly Dimension[];
  /** For a layer: its arguments, and access to further calls. */
  readonly layer: LayerExperiment | null;
  readonly loss: LossExperiment | null;
  /** For a custom penalty: the results of two more backward calls with the same arguments. */
  readonly repeatBackward?: () => readonly [Float64Array, Float64Array];
  /** Whether all outputs are finite, so that every gradient should be; undefined if unknown. */
  readonly hasFiniteOutput?: boolean;
  /** A bound of the round-off in a numeric value. */
  readonly noise: number;
  /** Differences above this share of the largest value are wrong; by default, that of float64. */
  readonly tolerance?: number;
  /** Every `stride`-th entry was measured, starting with the first. */
  readonly stride: number;
  /** The gradient of the penalty for a parameter that has one; null in isolation. */
  readonly penalty: Float64Array | null;
}

export interface LossExperiment {
  readonly target: Float64Array;
  readonly samples: number;
  /** Whether the gradient wrongly stays the same for other targets. */
  ignoresTarget(): Generator<undefined, boolean>;
  /** The gradients of other losses for the same prediction and targets, by kind. */
  otherGradients(): Iterable<readonly [kind: string, gradient: Float64Array]>;
  /** The numeric gradient for other targets. */
  numericGradientWith(target: Float64Array): Generator<undefined, Float64Array>;
  /** The results of two more backward calls with the same arguments. */
  repeatBackward(): readonly [Float64Array, Float64Array];
}

export interface LayerExperiment {
  readonly kind: string;
  /** Whether it is a custom layer. */
  readonly isCustom: boolean;
  /** For sentences: its kind, or the name of a custom layer. */
  readonly displayName: string;
  readonly samples: number;
  /** With the batch in front. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly options: unknown;
  /** Parameters and buffers, by short name. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
  /** Of a parameter or a further input. */
  shapeOf(name: string): Shape;
  readonly buffers: ReadonlyMap<string, Float64Array>;
  readonly upstream: Float64Array;
  readonly input: Float64Array;
  readonly output: Float64Array;
  /** Output gradient and input of the previous call. */
  readonly previousCall: { readonly upstream: Float64Array; readonly input: Float64Array };
  /** Whether backward wrongly returns the same after another input. */
  ignoresInput(): Generator<undefined, boolean>;
  /** Whether backward returns the same for another output gradient. */
  ignoresUpstream(): boolean;
  /** Whether each entry of dx is that of dy times a number that does not depend on dy. */
  isElementwise(): boolean;
  /** The results of two more backward calls with the same arguments. */
  repeatBackward(): readonly [Float64Array, Float64Array];
  /** The layer's default options; null if some are required, or if they would change its size. */
  readonly defaultOptions: unknown;
  /** The numeric gradient after a change; null if sizes do not match. */
  numericGradientWith(change: Overrides): Generator<undefined, Float64Array | null>;
  /** forward(input) - forward(0) for any input of the layer's size. */
  linearResponse(input: Float64Array): Float64Array | null;
  /** The derivative of each output with respect to the input in the same place. */
  jacobianDiagonal(): Generator<undefined, Float64Array>;
  /**
   * For a parameter where each output depends on at most one entry: the index of that entry, or -1. Null for any other.
   */
  entryPerOutput(): Generator<undefined, Int32Array | null>;
  /**
   * The derivative of every output with respect to every input of the same sample, from differences of forward; null
   * for a layer that is too large.
   */
  forwardJacobian(): Generator<undefined, ForwardJacobian | null>;
  /** Null for a layer that is too large or mixes samples, or whose backward is not linear in dy. */
  jacobians(): Generator<undefined, Jacobians | null>;
  /** The outputs of all samples by the entries of the parameter; null for the input, or if that is too large. */
  parameterJacobians(): Generator<undefined, Jacobians | null>;
  /** The result of backward for another output gradient. */
  gradientFor(upstream: Float64Array): Float64Array;
}

/** For each sample, the derivative of every output with respect to every input: [samples, outputs, inputs]. */
export interface ForwardJacobian {
  readonly outputs: number;
  readonly inputs: number;
  /** From differences of forward. */
  readonly numeric: Float64Array;
}

export interface Jacobians extends ForwardJacobian {
  /** From backward. */
  readonly analytic: Float64Array;
}

/** The largest absolute value that is finite. */
export function maxAbs(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) max = Math.max(max, Math.abs(values[i]!));
  return max;
}

type NumericValues = Pick<GradientComparison, 'numeric'> &
  Partial<Pick<GradientComparison, 'noise' | 'tolerance' | 'hasFiniteOutput'>>;

/** The difference that is allowed between two values. */
export const toleranceOf = ({
  numeric,
  noise = 0,
  tolerance = DIFFERENCE_RULES.double.tolerance,
}: NumericValues): number => Math.max(tolerance * maxAbs(numeric), 1e-9, noise);

/** Index of the entry with the largest error, or -1 if all are right. */
export function indexOfWorst({ analytic, ...values }: NumericValues & Pick<GradientComparison, 'analytic'>): number {
  const { numeric } = values;
  let worst = -1;
  let most = toleranceOf(values);
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) {
      // At a kink, any finite value may be right.
      if (values.hasFiniteOutput && !Number.isFinite(analytic[i])) return i;
      continue;
    }
    const error = Number.isFinite(analytic[i]) ? Math.abs(analytic[i]! - numeric[i]!) : Infinity;
    if (error > most) {
      most = error;
      worst = i;
    }
  }
  return worst;
}
