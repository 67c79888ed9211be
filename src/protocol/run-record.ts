// What a run is restored from: a checkpoint, a position, and the manual overrides. Runs are stored in this form.
import type { RunFinding } from './finding';
import type { Position } from './position';

export interface Checkpoint {
  readonly step: number;
  /** One array for each tensor of the network's state, in its order. */
  readonly tensors: readonly (Float32Array | Float64Array)[];
}

/** The base learning rate of the schedule, from step `step` on. */
export interface LearningRateOverride {
  readonly step: number;
  readonly lr: number;
}

/** The seed of the sample order and of random layers, from step `step` on; at step 0 of the initial weights, too. */
export interface SeedOverride {
  readonly step: number;
  readonly seed: number;
}

/** An entry of a parameter, and its new value. */
export interface WeightAssignment {
  /** `linear1.weight`. */
  readonly parameter: string;
  /** Flat index, in row-major order. */
  readonly index: number;
  readonly value: number;
}

/** Sets a weight once `step` updates are done. */
export interface WeightOverride extends WeightAssignment {
  readonly step: number;
}

export type ManualOverride = LearningRateOverride | SeedOverride | WeightOverride;

export interface RunRecord {
  /** The text of the run's spec. */
  readonly text: string;
  /** At or before the position; the steps between are replayed. */
  readonly checkpoint: Checkpoint;
  readonly position: Position;
  /** The furthest step that the run has reached. */
  readonly frontier: number;
  readonly changes: readonly ManualOverride[];
  /** Of the samples, to notice that they changed; absent in records of earlier versions. */
  readonly dataHash?: string;
  /** Findings up to `frontier`; absent in records of earlier versions. */
  readonly findings?: readonly RunFinding[];
}
