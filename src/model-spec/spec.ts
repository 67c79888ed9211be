// A parsed spec: every default filled in, every part with its range in the text.
import type { AugmentationKind } from '../engine/augmentations';
import type { DatasetKind } from '../engine/datasets';
import type { SplitFractions } from '../engine/datasets/dataset';
import type { Deterministic } from '../engine/kernels/create-kernels';
import type { Precision } from '../engine/kernels/tensor';
import type { customLayerSpec } from '../engine/custom/custom-layer-spec';
import type { customLossSpec } from '../engine/custom/custom-loss-spec';
import type { LayerKind } from '../engine/layers';
import type { LossKind } from '../engine/losses';
import type { OptimizerKind } from '../engine/optimizers';
import type { Penalty } from '../engine/penalty';
import type { ScheduleKind } from '../engine/schedules';
import type { Schedule } from '../engine/schedules/learning-rate';
import type { TransformKind } from '../engine/transforms';
import type { GradientClipping } from '../engine/update-parameters';
import type { LayerBlock } from '../protocol/model-info';
import type { RuleSettings } from '../protocol/problem';
import type { BlockKind } from './blocks';
import type { GradientCheckOptions } from './compiled-run';
import type { Path, Range, Source } from './spec-source';
import type { SweepOption } from './sweep';

/** A component with its parsed options. */
export interface SpecComponent<Kind extends string> {
  readonly type: Kind;
  readonly options: unknown;
  readonly range: Range;
}

export interface SpecLayer extends SpecComponent<LayerKind | typeof customLayerSpec.kind> {
  /** Its path in the spec: `layers`, 2, or inside a block. The copies of a repeated layer share it. */
  readonly path: Path;
  /** Unique in the spec. */
  readonly name: string;
  /** Short names of parameters that are not updated. */
  readonly freeze: readonly string[];
  /** The layers whose outputs it takes, in order; NETWORK_INPUT for the data. By default, the layer before. */
  readonly inputs?: readonly number[];
  /** An earlier layer whose parameters it uses: all of them, or one by its short name. */
  readonly share?: { readonly layer: number; readonly parameter?: string };
  /** For a layer that joins the branches of a block: the block, which has the path. */
  readonly block?: BlockKind;
  /** The blocks around it, the outermost first. */
  readonly blocks: readonly LayerBlock[];
}

export interface SpecAuxiliaryLoss extends SpecComponent<LossKind> {
  /** Unique among the losses. */
  readonly name: string;
  /** The layer whose output it takes. */
  readonly layer: number;
  readonly weight: number;
  readonly target: 'targets' | 'inputs';
}

export interface SpecPenalty extends Omit<Penalty, 'custom'> {
  /** The file of a custom penalty. */
  readonly module?: string | undefined;
  /** The options of the custom penalty. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

export interface Spec {
  readonly name: string;
  readonly data: SpecComponent<DatasetKind> & { readonly split: SplitFractions };
  readonly transforms: readonly SpecComponent<TransformKind>[];
  readonly augment: readonly SpecComponent<AugmentationKind>[];
  /** In topological order: that of the spec, unless a layer takes the output of one that is written after it. */
  readonly layers: readonly SpecLayer[];
  readonly loss: SpecComponent<LossKind | typeof customLossSpec.kind>;
  readonly auxiliaryLosses: readonly SpecAuxiliaryLoss[];
  readonly optimizer: SpecComponent<OptimizerKind>;
  readonly schedule: SpecComponent<ScheduleKind> &
    Pick<Schedule, 'per' | 'warmup'> & {
      /** Whether the rates depend on the length of the run. */
      readonly spansRun: boolean;
    };
  readonly clip: GradientClipping;
  readonly penalty: SpecPenalty;
  readonly batchSize: number | 'full';
  readonly shuffle: boolean;
  readonly epochs: number;
  readonly seed: number;
  readonly precision: Precision;
  /** Where the run is bitwise reproducible; see KernelOptions. */
  readonly deterministic: Deterministic;
  readonly gradientCheck: GradientCheckOptions;
  readonly rules: RuleSettings;
  /** A file with initial values of parameters and buffers, relative to the spec. */
  readonly initialWeights?: string | undefined;
  /** The options that a sweep varies; single runs ignore them. */
  readonly sweep: readonly SweepOption[];
  /** The text, with the range of each part. */
  readonly source: Source;
}
