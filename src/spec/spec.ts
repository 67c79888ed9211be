// A spec as the rest of the program sees it: every default filled in, every part with its place in the text.
import type { AugmentationKind } from '../engine/augmentations';
import type { DatasetKind } from '../engine/datasets';
import type { Split } from '../engine/datasets/dataset';
import type { Deterministic } from '../engine/kernels/create';
import type { Precision } from '../engine/kernels/tensor';
import type { custom } from '../engine/custom/unit';
import type { LayerKind } from '../engine/layers';
import type { LossKind } from '../engine/losses';
import type { OptimizerKind } from '../engine/optimizers';
import type { Penalty } from '../engine/penalty';
import type { ScheduleKind } from '../engine/schedules';
import type { Schedule } from '../engine/schedules/learning-rate';
import type { TransformKind } from '../engine/transforms';
import type { Clip } from '../engine/update';
import type { GradientCheckOptions } from './compiled';
import type { Path, Range, Source } from './source';
import type { SweepOption } from './sweep';

/** A unit with its options, as its definition's schema gives them. */
export interface SpecUnit<Kind extends string> {
  readonly type: Kind;
  readonly options: unknown;
  readonly range: Range;
}

export interface SpecLayer extends SpecUnit<LayerKind | typeof custom.kind> {
  /** Where the spec writes it: `layers`, 2, or within a block. Layers of a block share it. */
  readonly path: Path;
  /** Unique in the spec. */
  readonly name: string;
  /** Short names of parameters that are not updated. */
  readonly freeze: readonly string[];
}

export interface Spec {
  readonly name: string;
  readonly data: SpecUnit<DatasetKind> & { readonly split: Split };
  readonly transforms: readonly SpecUnit<TransformKind>[];
  readonly augment: readonly SpecUnit<AugmentationKind>[];
  readonly layers: readonly SpecLayer[];
  readonly loss: SpecUnit<LossKind>;
  readonly optimizer: SpecUnit<OptimizerKind>;
  readonly schedule: SpecUnit<ScheduleKind> & Pick<Schedule, 'per' | 'warmup'> & {
    /** Whether the rates depend on how long the run is. */
    readonly spansRun: boolean;
  };
  readonly clip: Clip;
  readonly penalty: Penalty;
  readonly batchSize: number | 'full';
  readonly shuffle: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly precision: Precision;
  /** Where the run repeats to the bit; see KernelOptions. */
  readonly deterministic: Deterministic;
  readonly gradientCheck: GradientCheckOptions;
  /** What a sweep of this spec tries; a run by itself does not look at it. */
  readonly sweep: readonly SweepOption[];
  /** Where each part stands. */
  readonly source: Source;
}
