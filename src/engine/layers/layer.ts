// The definition of a layer: options, shapes, parameters, the function and its derivative. What other modules must know
// about a layer (kinks, structure, range of outputs) is a property here, so that they never compare kinds.
// Shapes are those of one sample; tensors have the batch in front.
import type { SourceLocation } from '../../protocol/problem';
import type { PanelQuestion } from '../../protocol/questions';
import type * as z from 'zod/mini';
import type { TapeNode } from '../autograd/tape';
import type { InitializerOptions } from '../initializers';
import type { Fans } from '../initializers/initializer';
import type { Kernels } from '../kernels/kernels';
import type { Shape, Tensor, TensorData } from '../kernels/tensor';
import type { FormulaContext, LayerFormulas } from '../formulas/definition';
import type { CooperativeTask } from '../cooperative-task';
import type { Random } from '../random';
import type { ScaleOption } from '../scale-option';

/** What reports of a check call a layer's inputs: `input`, and further ones `inputs[1]`, `inputs[2]`. */
export const inputTensorName = (position: number): string => (position === 0 ? 'input' : `inputs[${position}]`);

/** A parameter of a layer. */
export interface ParameterDeclaration {
  /** The name in PyTorch: `weight`, `bias`. */
  readonly name: string;
  readonly shape: Shape;
  /** Exact initial values, row-major, or how to draw them. */
  readonly init:
    | { readonly values: readonly number[] }
    /** `zeroRow` is the index of a row that starts as 0. */
    | { readonly initializer: InitializerOptions; readonly zeroRow?: number };
  /** The default is that of weights [out, in, ...kernel], as in torch.nn.init. */
  readonly fans?: Fans;
  /** The option for its exact values; by default, the one of its name. */
  readonly option?: string;
}

/** A tensor of a layer's state that is not trained, such as a running mean. Checkpoints include it. */
export interface BufferDeclaration {
  /** The name in PyTorch: `running_mean`. */
  readonly name: string;
  readonly shape: Shape;
  /** The initial value of every entry. */
  readonly fill: number;
  /** The initial values if they differ, row-major. */
  readonly values?: Float64Array;
}

/** Intermediate values of a layer, kept for its backward pass and for views. */
export interface InternalDeclaration {
  /** The name in formulas and in PyTorch: `scores`, `hidden`. */
  readonly name: string;
  /** The shape of one sample. */
  readonly shape: Shape;
  /** In memory, time comes before the batch, [time, batch, …], so that each time step is one matrix. */
  readonly timeFirst?: true;
  /** Memory to compute in, with no meaning of its own: views do not show it. */
  readonly scratch?: true;
  /** A state that each time step passes on to the next one: its first axis is time. */
  readonly carried?: true;
  /** The part of the layer that computes it, such as `l1_reverse`; parts are computed one after the other. */
  readonly group?: string;
  /** Time steps are computed from the last to the first. */
  readonly reverse?: true;
  /** Attention weights [heads, queries, keys]: each row sums to 1. */
  readonly attention?: true;
}

/** What a layer is fitted to before the first step. */
export interface LayerFitContext<Options> {
  readonly options: Options;
  /** [samples, ...shape], transformed. */
  readonly inputs: TensorData;
  /** The shape of one sample. */
  readonly shape: Shape;
  /** The training samples. */
  readonly trainIndices: Uint32Array;
  readonly random: Random;
}

export interface LayerFit<Options> {
  /** How many training samples the layer needs, and the option that determines it. */
  requiredSamples(options: Options): readonly [count: number, option: string];
  /** The initial values of its buffers, by name. */
  buffers(context: LayerFitContext<Options>): CooperativeTask<Readonly<Record<string, Float64Array>>>;
}

/** What a layer does in each mode, if they differ. Each text continues "In training it …". */
export interface Modes {
  readonly training: string;
  readonly evaluation: string;
}

export interface ForwardContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Written by `updateBuffers` only. */
  readonly buffers: Readonly<Record<string, Tensor>>;
  /** False in evaluation, where a layer uses its running statistics. */
  readonly training: boolean;
  /** [batch, ...input shape]. */
  readonly input: Tensor;
  /** Further inputs of a layer that takes several. */
  readonly otherInputs: readonly Tensor[];
  /** [batch, ...output shape]; `forward` must write all of it. */
  readonly output: Tensor;
  /** What `sampleMask` drew for this step; null in evaluation and for layers without masks. */
  readonly mask: Tensor | null;
  /** Scratch memory for kernels, with the shapes that `workspace` asks for. */
  readonly workspace: readonly Tensor[];
  /** What `internals` declares, by name: [batch, ...shape] unless time comes first; `forward` must write all of it. */
  readonly internals: Readonly<Record<string, Tensor>>;
}

export interface BackwardContext<Options> extends ForwardContext<Options> {
  /** dL/d output. */
  readonly gradOutput: Tensor;
  /** dL/d input, to be written entirely; null if it is not needed. */
  readonly gradInput: Tensor | null;
  /** The same for each of `otherInputs`. */
  readonly gradOtherInputs: readonly (Tensor | null)[];
  /** dL/d parameter, to be added to: `zero_grad` has cleared it. */
  readonly gradParameters: Readonly<Record<string, Tensor>>;
  /** dL/d internal, by name; `backward` must write all of it. */
  readonly gradInternals: Readonly<Record<string, Tensor>>;
}

/**
 * Which outputs depend on an input or a parameter. A column is one number of each sample: [batch, 1].
 * - `elementwise`: each output depends on the input in its own place only; no parameters. Activations. `forward` also
 *   accepts any selection of numbers.
 * - `columnwise`: column j of the output depends on column j of the input and on entry j of each parameter only.
 * Scaling
 *   and normalizing by feature. `forward` also accepts single columns.
 * - `weighted_sum`: output = input weightᵀ + bias, with parameters `weight` [outputs, inputs] and, optionally, `bias`
 *   [outputs]; for samples that are one row of numbers, see `structureOf`.
 */
export type JacobianStructure = 'elementwise' | 'columnwise' | 'weighted_sum';

/** A weighted sum at each position within a layer: an entry of its weights changes one column of the result. */
export interface InnerSum<Options = unknown> {
  /** The parameters `weight` [outputs, inputs] and `bias` [outputs], by name. */
  readonly weight: string;
  readonly bias: string;
  /** The internal value that is summed; by default, the layer's first input. */
  readonly of?: string;
  /** The internal values that hold the outputs, one after the other; by default, the layer's output. */
  readonly to?: readonly string[];
  /** Computes what follows from those internal values alone, up to the layer's output. */
  forward?(context: ForwardContext<Options>): void;
}

/** The window of the input that an output depends on, along one spatial axis. */
export interface ReceptiveWindow {
  /** Positions from the first to the last: dilation · (kernel - 1) + 1. */
  readonly size: number;
  readonly stride: number;
}

/**
 * The part of the input that an output depends on: the value in its own place, a window along each spatial axis, or
 * all.
 */
export type LayerReceptiveField = 'pointwise' | 'all' | readonly ReceptiveWindow[];

/** When a unit of an activation stops passing gradients on. */
export interface Idleness {
  readonly name: 'dead' | 'saturated';
  /** An output y is active if above < y < below. */
  readonly active: { readonly above: number; readonly below: number };
  /** A unit is idle if it is inactive on more than this share of the batch. */
  readonly threshold: number;
  /** The rule as a sentence. */
  readonly rule: string;
}

export interface LengthScale {
  /** The distance at which the similarity has fallen to 1/e. */
  readonly distance: number;
  /** The option that determines it, and its value for another distance. */
  readonly option: string;
  optionFor(distance: number): number;
}

/** Why a layer cannot take an input. */
export interface InputMismatch {
  /** Continues the layer's name: "needs images". */
  readonly requirement: string;
  readonly remedy: string;
  /** The option at fault, if there is one. */
  readonly option?: string;
}

/** How many inputs a layer takes. */
export interface InputCount {
  readonly min: number;
  readonly max: number;
}

/** Why a layer cannot take its inputs together. */
export interface InputsMismatch {
  /** Continues the layer's name: "adds inputs of one shape". */
  readonly requirement: string;
  /** Positions of two inputs that do not fit together. */
  readonly positions: readonly [number, number];
  readonly remedy: string;
}

/** What kind of numbers a layer outputs: each a probability, a distribution over the outputs, or its logarithm. */
export type OutputMeaning = 'probability' | 'distribution' | 'log_distribution';

export interface LayerDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  /** One sentence with the formula, for hovers and docs. */
  readonly summary: string;
  /** What it computes, and its gradients by the chain rule; a custom layer may have none. */
  formulas?(context: FormulaContext<Options>): LayerFormulas | null;
  /** What people ask about it, with an answer in docs/systems.md. */
  readonly question?: PanelQuestion;
  readonly options: z.ZodMiniType<Options>;

  /** For a layer whose input is indices, 0 … n - 1: n. Such a layer takes the data itself. */
  indexCount?(options: Options): number;
  /**
   * For a layer that can leave out the padding of short sequences: the index that fills them up, if it is to. The layer
   * then takes the data, one index for each position, after its other inputs.
   */
  paddingIndex?(options: Options): number | undefined;
  /** The input shape that the options require, if they do. */
  expectedInputShape?(options: Options, input: Shape): Shape | undefined;
  /** Why the layer cannot take an input of this shape; then no other function is called. */
  checkInput?(input: Shape, options: Options): InputMismatch | undefined;
  /** How many inputs the layer takes; one by default. */
  readonly inputCount?: InputCount;
  /** For a layer with several inputs: why it cannot take inputs of these shapes. */
  checkInputs?(inputs: readonly Shape[], options: Options): InputsMismatch | undefined;
  /** @param otherInputs shapes of further inputs, none by default */
  outputShape(input: Shape, options: Options, otherInputs?: readonly Shape[]): Shape;
  parameters?(input: Shape, options: Options, otherInputs?: readonly Shape[]): readonly ParameterDeclaration[];
  buffers?(input: Shape, options: Options): readonly BufferDeclaration[];
  /** For a layer whose buffers are fitted to the training split before the first step. It must be the first layer. */
  readonly fit?: LayerFit<Options>;
  /** Scratch memory for its kernels, shared by all layers: it keeps nothing between calls. */
  workspace?(input: Shape, options: Options): readonly Shape[];
  /** Intermediate values kept from `forward` to `backward`, in order of computation. */
  internals?(input: Shape, options: Options, otherInputs?: readonly Shape[]): readonly InternalDeclaration[];

  /**
   * For a layer that is random in training: fills its mask, once per step. The gradient check keeps the mask fixed.
   */
  sampleMask?(out: Tensor, random: Random, options: Options): void;
  /** The shape of the mask for one sample, by default that of the output; null if the options need none. */
  maskShape?(input: Shape, options: Options): Shape | null;
  forward(context: ForwardContext<Options>): void;
  /** Updates its buffers from the batch: once per training step, after `forward`. */
  updateBuffers?(context: ForwardContext<Options>): void;
  backward(context: BackwardContext<Options>): void;

  /**
   * For a layer with kinks: whether two inputs lie on different sides of one, or on one. The gradient check uses it to
   * tell a kink from an error.
   */
  crossesKink?(a: Tensor, b: Tensor, options: Options): boolean;
  /**
   * For a layer whose kinks lie where several inputs are equal: writes to `out` an input whose values are at least
   * `distance` from every kink. Values exactly on a kink move to `side`; `backward` takes side -1.
   * @returns how many values lay exactly on a kink. Without this function, kinks depend on single values.
   */
  avoidKinks?(out: Tensor['data'], input: Tensor, distance: number, side: 1 | -1, options: Options): number;
  /**
   * Lets the gradient check recompute only what a perturbed number changes. The check compares a sample with full
   * forward passes, so a wrong declaration costs time but never a wrong verdict. Without it, the whole layer is
   * recomputed.
   */
  readonly jacobianStructure?: JacobianStructure;
  /** The same for parts of a layer with internal values. */
  innerSums?(input: Shape, options: Options, otherInputs?: readonly Shape[]): readonly InnerSum<Options>[];
  /** Multiply-adds in one sample's forward pass; 0 by default. Biases and element-wise functions are not counted. */
  macs?(input: Shape, output: Shape, options: Options, otherInputs?: readonly Shape[]): number;
  /** The default is `pointwise` for an `elementwise` layer, and `all` for any other. */
  receptiveField?(options: Options, input: Shape): LayerReceptiveField;
  /**
   * For a layer with windows: its options are WindowOptions. A convolution weights all channels, a pooling takes one.
   */
  readonly windows?: 'convolution' | 'pooling';
  readonly idleness?: Idleness;
  /** Bounds of every output, if the function has any; infinite on an open side. */
  outputRange?(options: Options): readonly [low: number, high: number];
  /** For a layer that computes something else in evaluation than in training. */
  modes?(options: Options): Modes | undefined;

  /** Element i of the output is element i of the input, in row-major order: identity and flatten. */
  readonly passThrough?: true;
  /**
   * The output is an affine function of the inputs, for a fixed mask: two such layers in a row are worth no more than
   * one.
   */
  readonly affine?: true;
  /** Whether these options make it an affine function, for a layer that is none by default. */
  isAffine?(options: Options): boolean;
  /**
   * For an activation that its options can make almost affine: at most this share of the variance of its output is not
   * explained by an affine function of the input, for standard normal inputs. 0.27 for relu, 0.07 for tanh.
   */
  nonlinearity?(options: Options): number;
  /** For an activation with a factor: its option, and its value. */
  scaledBy?(options: Options): ScaleOption;
  /** For a layer that compares its input with stored ones: how far apart two may be to count as similar. */
  lengthScale?(options: Options, input: Shape): LengthScale | undefined;
  /** For a recurrent layer without gates: the kind of one with gates, which takes the same sizes. */
  readonly gatedKind?: string;
  /**
   * For a layer on sequences: whether another order of the positions only reorders its output (`set`), or changes it
   * (`sequence`).
   */
  readonly positionsAs?: 'set' | 'sequence';
  readonly outputMeaning?: OutputMeaning;
  /** What a normalization takes mean and variance over. */
  readonly normalizesOver?: 'batch' | 'sample';
  /** For a normalization over parts of a sample: how many numbers share a mean and variance. */
  normalizedCount?(input: Shape, options: Options): number;
  /** The share of values that are set to 0 in training. */
  dropRate?(options: Options): number;

  /** For a custom layer: where its functions are; no backward if it uses autograd. */
  readonly sourceLocations?: {
    readonly forward: SourceLocation;
    readonly backward: SourceLocation | null;
    /** Where an error arose in the layer's code; without a line if it arose elsewhere. */
    locate(error: Error): SourceLocation;
  };
  /**
   * For a layer with kinks inside: the side of each on which it computes, -1, 1 or 0 on it. Called after `forward`,
   * which it may run again.
   */
  kinkSides?(context: ForwardContext<Options>): Int8Array;
  /**
   * For a layer with a manual backward: writes autograd's gradients instead; false if the layer is not differentiable.
   */
  autograd?(context: BackwardContext<Options>): boolean;
  /**
   * For a custom layer whose forward uses `ops`: runs it and returns the recorded operations; null if there are none.
   */
  operationGraph?(context: ForwardContext<Options>): OperationGraph | null;
  /**
   * For a custom layer whose backward deliberately differs from its forward: the function that it is the gradient of.
   */
  readonly surrogate?: { readonly reason: string; forward(context: ForwardContext<Options>): void };
  /** The same for other layers, where options decide it. */
  surrogateFor?(options: Options): LayerDefinition['surrogate'];
  /** For a custom layer: runs forward while something observes the numbers that it uses. */
  observedForward?(context: ForwardContext<Options>, observer: ForwardObserver): void;
  /** For a custom layer: the same layer, but it passes on NaN and infinity instead of throwing. */
  readonly allowingNonFinite?: LayerDefinition<Kind, Options>;
}

/** Observes the forward pass of a custom layer. */
export interface ForwardObserver {
  /** Called with the input and each parameter; the layer gets what it returns instead. */
  start(tensor: Tensor): Tensor;
  /** Called when the layer's own code has ended. */
  finish(): void;
  /** What the forward pass returned, after `finish`. */
  returned?(data: Tensor['data']): void;
}

/** The operations of one forward pass of a custom layer, as autograd recorded them. */
export interface OperationGraph {
  /** In the order of the forward pass. */
  readonly nodes: readonly TapeNode[];
  readonly input: Tensor;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
  /** Where the operation was called; null if unknown. */
  locate(node: TapeNode): SourceLocation | null;
}

/** Infers the type of a definition's options. */
export const defineLayer = <const Kind extends string, Options>(
  definition: LayerDefinition<Kind, Options>,
): LayerDefinition<Kind, Options> => definition;

/** For layers that take a row of numbers per sample, or one at each position of a sequence. */
export const checkRows = (input: Shape): InputMismatch | undefined =>
  input.length <= 2
    ? undefined
    : { requirement: 'needs one row of numbers per sample or position', remedy: 'Add "flatten" before it.' };

/** For layers that take sequences. */
export const checkSequence = (input: Shape): InputMismatch | undefined =>
  input.length === 2
    ? undefined
    : {
        requirement: 'needs sequences, positions × features',
        remedy: 'Add "embedding" before it, or use data with sequences.',
      };

/** The receptive field of a layer that computes each position of a sequence from that position alone. */
export const eachPosition = (input: Shape): LayerReceptiveField =>
  input.length === 2 ? [{ size: 1, stride: 1 }] : 'all';

/** Whether an element changes its sign from `a` to `b`, or is 0 in only one of them: the kink of ReLU and the like. */
export function crossesZero(a: Tensor, b: Tensor): boolean {
  for (let i = 0; i < a.data.length; i++) {
    if (Math.sign(a.data[i]!) !== Math.sign(b.data[i]!)) return true;
  }
  return false;
}
