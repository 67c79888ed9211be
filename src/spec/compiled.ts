// What a session runs: a spec with its data, every shape known, everything chosen. Plain data, no code.
import type { Augmentation } from '../engine/augmentations/augmentation';
import type { Dataset, TargetData } from '../engine/datasets/dataset';
import type { Deterministic } from '../engine/kernels/create';
import type { Precision } from '../engine/kernels/tensor';
import type { NetworkModel } from '../engine/network';
import type { Schedule } from '../engine/schedules/learning-rate';
import type { FittedTransform } from '../engine/transforms/apply';
import type { UpdateRule } from '../engine/update';

/** How gradients are checked; see the spec's `gradient_check`. */
export interface GradientCheckOptions {
  /** Check after every so many steps; 0 for never by itself. */
  readonly every: number;
  /** The difference is taken at w ± step · max(1, |w|). */
  readonly step: number;
  /** An entry passes where |backprop - numeric| <= atol + rtol · max(|backprop|, |numeric|). */
  readonly rtol: number;
  readonly atol: number;
  /** Which mode of layers with two is checked. */
  readonly mode: 'training' | 'evaluation';
}

export interface CompiledRun {
  readonly name: string;
  readonly model: NetworkModel;
  /** Its inputs are those that the network gets: transformed. */
  readonly dataset: Dataset;
  /** What the transforms learned of the training part. */
  readonly transforms: readonly FittedTransform[];
  /** Random changes of the samples that a step trains on. */
  readonly augmentations: readonly Augmentation[];
  /** [samples, targetWidth], as the loss takes them: values, one-hot rows, or one column of 0 and 1. */
  readonly targets: TargetData;
  /** The size of the network's output. */
  readonly targetWidth: number;
  /** Class names in the order of their index; null when the targets are values. */
  readonly labels: readonly string[] | null;
  /** Indexes of samples, rising; train has at least one. */
  readonly split: Readonly<Record<'train' | 'validation' | 'test', Uint32Array>>;
  /** At most the number of training samples. */
  readonly batchSize: number;
  /** A new order every epoch; false for a full batch. */
  readonly shuffle: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly precision: Precision;
  /** Where the run repeats to the bit; see KernelOptions. */
  readonly deterministic: Deterministic;
  readonly optimizer: UpdateRule;
  readonly schedule: Schedule;
  readonly gradientCheck: GradientCheckOptions;
  /** Predicted bytes of tensors and data, see memory.ts. */
  readonly memory: number;
}
