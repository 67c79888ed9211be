// Statistics of each layer at one step, part of every frame.

/** Statistics that a view can subscribe to; without a subscriber they are not measured. */
export type ProbeId = 'activations' | 'gradients' | 'updates';

/** A layer's output over the batch. */
export interface ActivationStats {
  /** Counts of equal bins over [low, high]. */
  readonly histogram: Uint32Array;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  /** Standard deviation over all entries (divided by their number). */
  readonly std: number;
  /** Share of dead or saturated units, 0 to 1; null if units of the layer cannot be idle. */
  readonly idle: number | null;
}

export interface GradientStats {
  /** Euclidean norm. */
  readonly norm: number;
  readonly mean: number;
  /** Standard deviation over all entries (divided by their number). */
  readonly std: number;
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
}

export interface ParameterStats {
  readonly name: string;
  readonly norm: number;
  readonly mean: number;
  readonly std: number;
  /** Null until this step's backward pass has reached the layer. */
  readonly gradient: GradientStats | null;
  /** ‖update‖ / ‖weights before it‖; null until this step's update, and for 0/0. */
  readonly updateRatio: number | null;
}

export interface LayerStats {
  /** Null until this step's forward pass has reached the layer, and without a subscriber. */
  readonly activation: ActivationStats | null;
  /** dL/d output; null until this step's backward pass has reached the layer, and without a subscriber. */
  readonly outputGradient: GradientStats | null;
  readonly parameters: readonly ParameterStats[];
  /**
   * Of a recurrent layer whose backward pass is done: norms of dL/d state after the first and after the last time step.
   * Of several states, it is the one through which most of the gradient arrives. Of a direction that reads backward,
   * the first time step is the last of the sequence.
   */
  readonly throughTime?: { readonly first: number; readonly last: number };
}
