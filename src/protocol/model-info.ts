// Everything about a run that does not change during training: the model, its data and its options.
import type { Phase, SplitName } from './position';
import type { PanelQuestion } from './questions';

/** What people ask about a loss. */
export interface LossQuestions {
  readonly value?: PanelQuestion;
  readonly gradient?: PanelQuestion;
}

/**
 * Number of input positions that one output depends on, along each spatial axis, including padding; `all` from the
 * first layer on that connects every input to every output.
 */
export type ReceptiveField = readonly number[] | 'all';

export interface LayerSummary {
  /** Entries of all its parameters. */
  readonly parameters: number;
  /** Entries that are updated. */
  readonly trained: number;
  /** Multiply-adds in one sample's forward pass. Biases and element-wise functions are not counted. */
  readonly macs: number;
  /** Bytes of its parameters, outputs and gradients during training. */
  readonly memory: number;
  readonly receptiveField: ReceptiveField;
  /** Parameters, with bias, of a fully connected layer of the same input and output; null for element-wise layers. */
  readonly dense: number | null;
}

export interface ParameterInfo {
  /** `linear1.weight`. */
  readonly name: string;
  /** `weight`. */
  readonly shortName: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly frozen: boolean;
}

/** A parameter that a layer uses and another layer owns. */
export interface SharedParameter {
  /** `linear1.weight`. */
  readonly name: string;
  /** `weight`. */
  readonly shortName: string;
  /** The layer that owns it, by index. */
  readonly layer: number;
}

/** A line of the spec, counted from 1, and its text. */
export interface SpecLocation {
  readonly line: number;
  readonly text: string;
}

/** A block of the spec, one copy of a block that repeats, or a branch. */
export interface LayerBlock {
  /** Unique in the network. */
  readonly id: string;
  /** `repeat 2 of 3`, `residual`, `branch 1`. */
  readonly label: string;
}

/** An intermediate value of a layer. */
export interface InternalInfo {
  readonly shortName: string;
  readonly shape: readonly number[];
  /** Whether it is a state that each time step passes on to the next one. */
  readonly carried: boolean;
  /** The part of a layer with several that computes it, such as `l1_reverse`, after those before it. */
  readonly group?: string;
  /** Whether time steps are computed from the last to the first. */
  readonly reverse?: boolean;
  /** Whether it holds attention weights [heads, queries, keys]. */
  readonly attention: boolean;
}

export interface LayerInfo {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  /** Shapes of one sample. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** The layers whose outputs it takes, in order, by index; -1 for the network's input. */
  readonly inputs: readonly number[];
  readonly parameters: readonly ParameterInfo[];
  /** Parameters of earlier layers that it uses. */
  readonly sharedParameters: readonly SharedParameter[];
  /** State that is not trained, such as running means. */
  readonly buffers: readonly { readonly shortName: string; readonly shape: readonly number[] }[];
  /** Intermediate values, such as attention weights; shapes of one sample. */
  readonly internals: readonly InternalInfo[];
  /** What the layer does in each mode, as the predicate of a sentence; undefined if both are the same. */
  readonly modes?: { readonly training: string; readonly evaluation: string };
  readonly figures: LayerSummary;
  /** What people ask about this kind of layer, with an answer in docs/systems.md. */
  readonly question?: PanelQuestion;
  /** The blocks around it, the outermost first. */
  readonly blocks: readonly LayerBlock[];
  /** Where the spec declares it; undefined in a network without a spec. */
  readonly specLocation?: SpecLocation;
  /** The name and rule of idle units of this layer; undefined if units cannot be idle. */
  readonly idleness?: { readonly name: 'dead' | 'saturated'; readonly rule: string };
}

/** A transform of the data, and what it learned from the training split. */
export interface TransformInfo {
  readonly kind: string;
  readonly summary: string;
  readonly values: readonly {
    /** `mean`, `std`. */
    readonly name: string;
    readonly shape: readonly number[];
    /** The first of `count` values. */
    readonly first: readonly number[];
    readonly count: number;
    readonly min: number;
    readonly max: number;
  }[];
}

/** How a network moves over a larger image: as if its input were a window that moves by these distances. */
export interface OutputMapInfo {
  /** Pixels from one position to the next. */
  readonly stride: { readonly down: number; readonly right: number };
  /** The number of layers that run over the whole image; the others run for each position. */
  readonly layersOverImage: number;
}

/** One of several losses. */
export interface LossInfo {
  /** `head1_loss`. */
  readonly name: string;
  readonly kind: string;
  readonly summary: string;
  /** The factor of its value in the loss. */
  readonly weight: number;
  /** The index of the layer whose output it takes. */
  readonly layer: number;
  /** Whether it compares with the targets of the data, or with the inputs. */
  readonly target: 'targets' | 'inputs';
  readonly specLocation?: SpecLocation;
}

export interface ModelInfo {
  readonly name: string;
  readonly inputShape: readonly number[];
  /** Whether the inputs are indices of tokens, and the targets the tokens that follow. */
  readonly tokens: boolean;
  readonly layers: readonly LayerInfo[];
  readonly loss: {
    readonly kind: string;
    readonly summary: string;
    readonly questions?: LossQuestions;
    readonly specLocation?: SpecLocation;
  };
  /** With several losses: that of the prediction, then the auxiliary ones. The loss is their weighted sum. */
  readonly losses?: readonly LossInfo[];
  /** `rule`: the update of a weight w in LaTeX, with the options of the run; η is the learning rate, t the step. */
  readonly optimizer: { readonly kind: string; readonly summary: string; readonly rule: string };
  /**
   * Part of a batch's loss, but not of a split's; null if there is none. `biases`: whether one-dimensional parameters
   * count.
   */
  readonly penalty: {
    readonly l1: number;
    readonly l2: number;
    readonly biases: boolean;
    /** The file of a custom penalty. */
    readonly file?: string;
  } | null;
  /** How `"task": "auto"` read the target, why, and how to change it; null if nothing was decided. */
  readonly taskDecision: string | null;
  /** In the order of application. */
  readonly transforms: readonly TransformInfo[];
  /** The phases of a training step, in order. */
  readonly phases: readonly Phase[];
  readonly samples: Readonly<Record<SplitName, number>>;
  /** Samples in a batch; the last batch of an epoch may be smaller. */
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly epochs: number;
  /** epochs × batchesPerEpoch. */
  readonly totalSteps: number;
  readonly classes: readonly string[] | null;
  /** Share of the most frequent class in each split, to compare an accuracy with; null if the targets are values. */
  readonly largestClass: Readonly<Record<SplitName, number>> | null;
  readonly seed: number;
  readonly precision: 'float32' | 'float64';
  /** The kernels in use. */
  readonly backend: string;
  /** Bytes of all tensors. */
  readonly memory: number;
  readonly parameterCount: number;
  /** How the network moves over images larger than its input; null if it cannot. */
  readonly outputMap: OutputMapInfo | null;
  /** Steps from one scheduled gradient check to the next; 0 for none. */
  readonly checkEvery: number;
}
