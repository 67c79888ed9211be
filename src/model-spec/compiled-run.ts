// A run, ready for a session: a spec with its data and all shapes and components resolved.
import type { Augmentation } from '../engine/augmentations/augmentation';
import type { CooperativeTask } from '../engine/cooperative-task';
import type { DataFiles } from '../engine/datasets/data-file';
import type { SampleSource } from '../engine/datasets/sample-source';
import type { Dataset, TargetData } from '../engine/datasets/dataset';
import type { Deterministic } from '../engine/kernels/create-kernels';
import type { Precision } from '../engine/kernels/tensor';
import type { NetworkModel } from '../engine/network-model';
import type { Schedule } from '../engine/schedules/learning-rate';
import type { FittedTransform } from '../engine/transforms/apply-transforms';
import type { UpdateRule } from '../engine/update-parameters';
import type { RuleSettings } from '../protocol/problem';

/** How gradients are checked; see the spec's `gradient_check`. */
export interface GradientCheckOptions {
  /** Check automatically every this many steps; 0 for on demand only. */
  readonly every: number;
  /** The difference is taken at w ± step · max(1, |w|). */
  readonly step: number;
  /** An entry passes if |backprop - numeric| <= atol + rtol · max(|backprop|, |numeric|). */
  readonly rtol: number;
  readonly atol: number;
  /** The mode in which to check layers such as dropout. */
  readonly mode: 'training' | 'evaluation';
}

export interface CompiledRun {
  readonly name: string;
  readonly model: NetworkModel;
  /** With transformed inputs, as the network gets them. */
  readonly dataset: Dataset;
  /** Reads the samples again, as they stand in the files. Throws DataError. */
  readonly openSource: (files: DataFiles) => CooperativeTask<SampleSource>;
  /** The transforms, fitted to the training split. */
  readonly transforms: readonly FittedTransform[];
  /** Random changes of the training samples. */
  readonly augmentations: readonly Augmentation[];
  /** [samples, targetWidth], as the loss takes them: values, one-hot rows, or one column of 0 and 1. */
  readonly targets: TargetData;
  /** The size of the network's output. */
  readonly targetWidth: number;
  /** Class names by index; null if the targets are values. */
  readonly labels: readonly string[] | null;
  /** Ascending indexes of samples; train has at least one. */
  readonly split: Readonly<Record<'train' | 'validation' | 'test', Uint32Array>>;
  /** At most the number of training samples. */
  readonly batchSize: number;
  /** Whether to shuffle every epoch; false for a full batch. */
  readonly shuffle: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly precision: Precision;
  /** Where the run is bitwise reproducible; see KernelOptions. */
  readonly deterministic: Deterministic;
  readonly optimizer: UpdateRule;
  readonly schedule: Schedule;
  readonly gradientCheck: GradientCheckOptions;
  /** Settings of the spec and of the user, for rules that observe the run. */
  readonly ruleSettings: RuleSettings;
  /** Predicted bytes of tensors and data, see memory.ts. */
  readonly memory: number;
}
