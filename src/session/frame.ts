// What a session shows of itself, as data. A frame holds copies: once it is handed over, the session
// no longer touches it.
import type { Precision } from '../engine/kernels/tensor';
import type { LayerMath } from '../engine/layers/layer';
import type { LossMath } from '../engine/losses/loss';
import type { Penalty } from '../engine/penalty';
import type { ActivationReading } from '../engine/probes/activations';
import type { GradientReading } from '../engine/probes/gradients';
import type { HistoryData } from '../history/history';
import type { LayerFigures } from '../spec/summary';
import type { Answered } from './questions';

export type { ActivationReading, GradientReading, LayerFigures };

/** `step` updates are done, and `phase` phases of the next step. */
export interface Position {
  readonly step: number;
  readonly phase: number;
}

/** A part of a training step that can be stopped after; layers by index. */
export type Phase =
  | { readonly kind: 'zero_grad' }
  | { readonly kind: 'forward'; readonly layer: number }
  | { readonly kind: 'loss' }
  | { readonly kind: 'loss_backward' }
  | { readonly kind: 'backward'; readonly layer: number }
  | { readonly kind: 'update' };

export type Part = 'train' | 'validation' | 'test';

export interface ParameterInfo {
  /** `linear1.weight`. */
  readonly name: string;
  /** `weight`. */
  readonly shortName: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly frozen: boolean;
}

/** A line of the spec, counted from 1, and what it says. */
export interface SpecPlace {
  readonly line: number;
  readonly text: string;
}

export interface LayerInfo {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  /** Shapes of one sample. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly parameters: readonly ParameterInfo[];
  /** What it keeps of the batches besides, such as running means: short names and shapes. */
  readonly buffers: readonly { readonly shortName: string; readonly shape: readonly number[] }[];
  /** What it does in each mode, in words that go on after "it"; absent where both are the same. Steps train. */
  readonly modes?: { readonly training: string; readonly evaluation: string };
  readonly figures: LayerFigures;
  readonly math?: LayerMath;
  /** Where the spec writes it; absent in a network that was not made from one. */
  readonly place?: SpecPlace;
  /** What idle units of this layer are called and by which rule; absent where none can be. */
  readonly idleness?: { readonly name: 'dead' | 'saturated'; readonly rule: string };
}

/** A transform of the data, and what it learned of the training part. */
export interface FittedInfo {
  readonly kind: string;
  readonly summary: string;
  readonly values: readonly {
    /** `mean`, `std`. */
    readonly name: string;
    readonly shape: readonly number[];
    /** The first ones; there may be more. */
    readonly first: readonly number[];
    readonly count: number;
    readonly min: number;
    readonly max: number;
  }[];
}

/** Everything about a run that does not change while it trains. */
export interface ModelInfo {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly layers: readonly LayerInfo[];
  readonly loss: { readonly kind: string; readonly summary: string; readonly math?: LossMath; readonly place?: SpecPlace };
  readonly optimizer: { readonly kind: string; readonly summary: string; readonly math?: { readonly update: string } };
  /** Part of a batch's loss, and of no loss of a whole part; null where there is none. */
  readonly penalty: Penalty | null;
  /** What the transforms of the data learned of the training part, in their order. */
  readonly transforms: readonly FittedInfo[];
  readonly phases: readonly Phase[];
  readonly samples: Readonly<Record<Part, number>>;
  /** Samples in a batch; the last one of an epoch may be smaller. */
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly epochs: number;
  /** epochs × batchesPerEpoch. */
  readonly totalSteps: number;
  readonly classes: readonly string[] | null;
  readonly seed: number;
  readonly precision: Precision;
  /** The kernels that run. */
  readonly backend: string;
  /** Bytes of all tensors. */
  readonly memory: number;
  readonly parameterCount: number;
  /** The check runs by itself after every so many steps; 0 for never. */
  readonly checkEvery: number;
}

/** The step being worked on, or at a step's end the one just done. Counted from 1; 0 before the first. */
export interface BatchPlace {
  readonly epoch: number;
  readonly batch: number;
  readonly samples: number;
}

export interface ParameterReading {
  readonly name: string;
  readonly norm: number;
  readonly mean: number;
  readonly std: number;
  /** Null until this step's backward pass has reached the layer. */
  readonly gradient: GradientReading | null;
  /** ‖update‖ / ‖weights before it‖; null until this step's update, 0/0 is null too. */
  readonly updateRatio: number | null;
}

export interface LayerReading {
  /** Null until this step's forward pass has reached the layer, or where nobody asked. */
  readonly activation: ActivationReading | null;
  /** dL/d output; null until this step's backward pass has reached the layer, or where nobody asked. */
  readonly outputGradient: GradientReading | null;
  readonly parameters: readonly ParameterReading[];
}

/** What a tensor view may ask to see. */
export type TensorKind = 'output' | 'output_gradient' | 'parameter' | 'parameter_gradient' | 'buffer';

export interface TensorRequest {
  readonly layer: number;
  readonly kind: TensorKind;
  /** Short name of the parameter or buffer, for the kinds that need it. */
  readonly parameter?: string;
}

/** A tensor as a matrix, reduced where it is larger than `MAX_TILE` a side: each cell then holds the value of largest magnitude in it. */
export interface TensorReading {
  readonly kind: TensorKind;
  /** The tensor's own shape, with the batch in front for outputs. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of the whole matrix that one cell covers. */
  readonly rowStride: number;
  readonly columnStride: number;
  readonly cells: Float64Array;
  readonly min: number;
  readonly max: number;
}

/** Where the first NaN or infinity of a run arose. */
export interface NonFinite {
  /** Counted from 1: the step during which it arose. */
  readonly step: number;
  readonly phase: Phase;
  /** `linear2`, or the loss. */
  readonly where: string;
  /** `output`, `weight`, `gradient of weight`, … */
  readonly tensor: string;
  readonly index: readonly number[];
  readonly value: number;
  /** One sentence with the likely remedy. */
  readonly remedy: string;
}

/** `seeking` is replaying towards a step; pausing stops it where it is. */
export type RunStatus = 'ready' | 'running' | 'seeking' | 'paused' | 'finished' | 'diverged';

/** What views can ask for; what nobody asks for is not measured. */
export type ProbeId = 'activations' | 'gradients' | 'updates';

export interface Frame {
  /** Rises by one a frame. */
  readonly sequence: number;
  readonly status: RunStatus;
  /** Where `running` or `seeking` will stop by itself; null at rest. */
  readonly target: number | null;
  readonly position: Position;
  /** The furthest step this run has reached; it can be sought without training anew. */
  readonly frontier: number;
  readonly place: BatchPlace;
  /** Learning rate of the next step. */
  readonly lr: number;
  /** Loss of the current batch; null until this step's loss phase. */
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Losses and accuracies over whole parts, where they were evaluated at this very position. */
  readonly evaluation: Readonly<Partial<Record<Part, { readonly loss: number; readonly accuracy: number | null }>>>;
  readonly layers: readonly LayerReading[];
  /** To the questions of the visible views, of each view all or none. */
  readonly answers: readonly Answered[];
  readonly nonFinite: NonFinite | null;
  /** What the history gained since the frame before. */
  readonly history: HistoryData;
  /** At full speed: answers to other views, or parts of the history, come with frames to follow. */
  readonly partial: boolean;
  /** Set when steps past this one no longer hold (another learning rate from here on): forget them first. */
  readonly truncatedTo: number | null;
  /** Steps per second over the last second or so of running; null at rest. */
  readonly stepsPerSecond: number | null;
}
