// One gradient that a layer or a loss makes, beside what it should be: the material that explanations are fitted to.
import type { Shape } from '../../engine/kernels/tensor';

/** A size that a wrong factor may be. */
export interface Dimension {
  readonly name: string;
  readonly size: number;
  /** The size in the trial, where it is another one: a layer alone gets a number of samples that nothing else equals. */
  readonly tried?: number;
}

/** What is different when the numeric gradient is measured again. */
export interface Change {
  readonly upstream?: Float64Array;
  readonly input?: Float64Array;
  readonly options?: unknown;
  /** Values of parameters, by short name. */
  readonly parameters?: ReadonlyMap<string, Float64Array>;
}

export interface Trial {
  /** Of the input (dL/dx), of a parameter, or of the prediction that a loss gets. */
  readonly of: 'input' | 'parameter' | 'prediction';
  /** `weight`; `input` and `prediction` for these. */
  readonly tensor: string;
  /** The batch in front where there is one. */
  readonly shape: Shape;
  /** By the backward code. */
  readonly analytic: Float64Array;
  /** By differences of the forward code; NaN where there is a kink or it was not measured. */
  readonly numeric: Float64Array;
  /** The tensor itself. */
  readonly value: Float64Array;
  readonly dimensions: readonly Dimension[];
  /** Of a layer: what it was given, and numbers that it saw in the call before. */
  readonly layer: LayerTrial | null;
  readonly loss: LossTrial | null;
  /** Bound of the round-off in a numeric value. */
  readonly noise: number;
  /** Every so many entries were measured, from the first on. */
  readonly stride: number;
  /** The penalty's own gradient for a parameter that has one; the layer alone is tried without. */
  readonly penalty: Float64Array | null;
}

export interface LossTrial {
  readonly target: Float64Array;
  readonly samples: number;
  /** Whether the gradient is the same for other targets, though it should not. */
  deaf(): boolean;
  /** The gradients of other losses for the same prediction and targets, by kind. */
  others(): Iterable<readonly [kind: string, gradient: Float64Array]>;
  /** The numeric gradient for other targets. */
  numericWith(target: Float64Array): Float64Array;
}

export interface LayerTrial {
  readonly kind: string;
  /** In a sentence: its kind, or the name of one of the user's own. */
  readonly called: string;
  readonly samples: number;
  /** With the samples in front. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly options: unknown;
  /** Values of its parameters and buffers, by short name. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
  readonly buffers: ReadonlyMap<string, Float64Array>;
  readonly upstream: Float64Array;
  readonly input: Float64Array;
  readonly output: Float64Array;
  /** Upstream gradient and input of the call before. */
  readonly before: { readonly upstream: Float64Array; readonly input: Float64Array };
  /** Whether backward gives the same after another input, though it should not. */
  deaf(): boolean;
  /** Whether dx at each place is dy there times a number that does not depend on dy. */
  elementwise(): boolean;
  /** What backward gave in two more calls with the same arguments. */
  repeated(): readonly [Float64Array, Float64Array];
  /** The options that the layer has where a spec gives none; null where it needs some, or they would change its size. */
  readonly defaults: unknown;
  /** The numeric gradient under other circumstances; null where sizes do not fit. */
  numericWith(change: Change): Float64Array | null;
  /** What forward makes of any input of the layer's size, less what it makes of zeros. */
  through(input: Float64Array): Float64Array | null;
  /** The slope of each output by the input at the same place, one by one. */
  diagonal(): Float64Array;
  /** Of a parameter whose every output comes from one entry of it at most: which; -1 for none. Null for any other. */
  entryOf(): Int32Array | null;
  /** By differences of forward, the slope of every output by every input of the same sample; null for a layer that is too large. */
  slopes(): Slopes | null;
  /** Null for a layer that is too large, mixes samples, or whose backward does not follow dy in proportion. */
  jacobians(): Jacobians | null;
}

/** Of each sample the slope of every output by every input: [samples, outputs, inputs]. */
export interface Slopes {
  readonly outputs: number;
  readonly inputs: number;
  /** By differences of forward. */
  readonly right: Float64Array;
}

export interface Jacobians extends Slopes {
  /** By backward. */
  readonly given: Float64Array;
}

/** Largest absolute finite number. */
export function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) max = Math.max(max, Math.abs(values[i]));
  return max;
}

/** Difference, as a share of the largest number, that is called wrong. */
const WRONG = 1e-4;

type Values = Pick<Trial, 'numeric'> & Partial<Pick<Trial, 'noise'>>;

/** How far two values may differ. */
export const slackOf = ({ numeric, noise = 0 }: Values): number => Math.max(WRONG * largest(numeric), 1e-9, noise);

/** Index of the entry that is off the most, or -1 where all are right. */
export function worstOf({ analytic, numeric, noise }: Values & Pick<Trial, 'analytic'>): number {
  let worst = -1;
  let most = slackOf({ numeric, noise });
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    const error = Number.isFinite(analytic[i]) ? Math.abs(analytic[i] - numeric[i]) : Infinity;
    if (error > most) {
      most = error;
      worst = i;
    }
  }
  return worst;
}
