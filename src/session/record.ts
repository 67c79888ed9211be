// What a run is restored from: a checkpoint, where the run stood, and what was changed by hand.
import type { Position } from './frame';

export interface Checkpoint {
  readonly step: number;
  /** One array for each tensor of the network's state, in its order. */
  readonly tensors: readonly (Float32Array | Float64Array)[];
}

/** From step `step` on, the learning rate that the schedule starts from is `lr`. */
export interface LearningRateChange {
  readonly step: number;
  readonly lr: number;
}

/** From step `step` on, samples are ordered and layers draw by this seed; at step 0 the weights start from it, too. */
export interface SeedChange {
  readonly step: number;
  readonly seed: number;
}

/** Once `step` updates are done, this weight is `value`. */
export interface WeightChange {
  readonly step: number;
  /** `linear1.weight`. */
  readonly parameter: string;
  /** Of the entry in the flat parameter. */
  readonly index: number;
  readonly value: number;
}

/** A weight that was set by hand: what it was before. */
export interface WeightEdit {
  readonly parameter: string;
  readonly index: number;
  readonly before: number;
}

/** What was changed by hand, and when. */
export type RunChange = LearningRateChange | SeedChange | WeightChange;

export interface RunRecord {
  /** The text of the spec that the run is of. */
  readonly text: string;
  /** At or before the position; the steps between are replayed. */
  readonly checkpoint: Checkpoint;
  readonly position: Position;
  readonly frontier: number;
  readonly changes: readonly RunChange[];
}
