// What a layer is: its options, shapes, parameters, and the function beside its derivative.
// Shapes here are those of one sample; tensors carry the batch in front.
import type * as z from 'zod/mini';
import type { CodePlace } from '../custom/fault';
import type { InitializerOptions } from '../initializers';
import type { Kernels } from '../kernels/kernels';
import type { Shape, Tensor, TensorData } from '../kernels/tensor';
import type { InPieces } from '../pieces';
import type { Random } from '../random';

/** A parameter that a layer asks for. */
export interface ParameterDeclaration {
  /** Its name in the layer, as in PyTorch: `weight`, `bias`. */
  readonly name: string;
  readonly shape: Shape;
  /** Exact starting values, row-major, or how to draw them. */
  readonly start: { readonly values: readonly number[] } | { readonly initializer: InitializerOptions };
}

/** A tensor that belongs to a layer's state and is not trained, such as a running mean. Checkpoints hold it. */
export interface BufferDeclaration {
  /** Its name in the layer, as in PyTorch. */
  readonly name: string;
  readonly shape: Shape;
  /** What all of it is at the start. */
  readonly fill: number;
}

/** What a layer that learns of the training part is given to do so, before any step. */
export interface LayerFitContext<Options> {
  readonly options: Options;
  /** [samples, ...shape], transformed. */
  readonly inputs: TensorData;
  /** Of one sample. */
  readonly shape: Shape;
  /** Samples to learn of. */
  readonly train: Uint32Array;
  readonly random: Random;
}

export interface LayerFit<Options> {
  /** How many training samples it needs at least, and the option that says so. */
  samples(options: Options): readonly [count: number, option: string];
  /** What is in its buffers from the start, by name. */
  buffers(context: LayerFitContext<Options>): InPieces<Readonly<Record<string, Float64Array>>>;
}

/** What a layer does in each mode, for one that does not do the same in both; goes on after "In training it". */
export interface Modes {
  readonly training: string;
  readonly evaluation: string;
}

export interface ForwardContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** Only read, but for `track`. */
  readonly buffers: Readonly<Record<string, Tensor>>;
  /** In evaluation a layer that has learnt something of the batches goes by that. */
  readonly training: boolean;
  /** [batch, ...input shape]. */
  readonly input: Tensor;
  /** [batch, ...output shape]; all of it must be written. */
  readonly output: Tensor;
  /** What `draw` drew for this step, of the output's shape; null where nothing is drawn: when evaluating. */
  readonly drawn: Tensor | null;
  /** For the kernels to work in, of the shapes that the layer asked for. */
  readonly workspace: readonly Tensor[];
}

export interface BackwardContext<Options> extends ForwardContext<Options> {
  /** dL/d output. */
  readonly gradOutput: Tensor;
  /** dL/d input, all of it to be written; null where nobody asks for it. */
  readonly gradInput: Tensor | null;
  /** dL/d parameter; add to it: the zero-gradients phase has cleared it. */
  readonly gradParameters: Readonly<Record<string, Tensor>>;
}

/**
 * Which outputs a moved number reaches. A column is one number of each sample: [batch, 1].
 * - `elementwise`: each number of the output depends on the one in its own place of the input, on nothing else; no parameters.
 *   Activations. `forward` then also takes any numbers side by side.
 * - `columnwise`: column j of the output depends on column j of the input and on entry j of each parameter, on nothing
 *   else. Scaling and normalizing feature by feature. `forward` then also takes single columns.
 * - `weighted_sum`: output = input weightᵀ + bias, of parameters `weight` [outputs, inputs] and, if there is one,
 *   `bias` [outputs].
 */
export type Reach = 'elementwise' | 'columnwise' | 'weighted_sum';

/** How an output looks at its input along one axis of space. */
export interface Window {
  /** Places from the first to the last that one output sees: dilation · (kernel - 1) + 1. */
  readonly size: number;
  readonly stride: number;
}

/** What of its input an output of a layer depends on: the value in its own place, a window along each axis of space, or all. */
export type Sight = 'place' | 'all' | readonly Window[];

/** When a unit of an activation no longer passes gradients on, and what that is called. */
export interface Idleness {
  readonly name: 'dead' | 'saturated';
  /** An output y counts when low < y < high does not hold. */
  readonly active: { readonly above: number; readonly below: number };
  /** A unit is idle when more than this share of the batch's samples count. */
  readonly share: number;
  /** The rule in words, with its source. */
  readonly rule: string;
}

/** Why a layer cannot take an input: what it needs instead, and what to do. */
export interface Misfit {
  /** Goes on after the layer's name: "needs images". */
  readonly needs: string;
  readonly remedy: string;
  /** The option to look at, where one is to blame. */
  readonly option?: string;
}

/** Formulas in LaTeX for one sample, x the input and y the output; `\d{x}` stands for ∂L/∂x. */
export interface LayerMath {
  readonly forward: string;
  /** Of dL/d input. */
  readonly input: string;
  /** Of dL/d parameter, by its short name. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface LayerDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** One sentence with the formula; shown on hover and in the docs. */
  readonly summary: string;
  readonly math?: LayerMath;
  readonly options: z.ZodMiniType<Options>;
  /** The input shape that the options insist on, if they do. */
  expectedInput?(options: Options): Shape | undefined;
  /** What is wrong with an input of this shape, if anything; nothing else is asked of the layer then. */
  misfit?(input: Shape, options: Options): Misfit | undefined;
  outputShape(input: Shape, options: Options): Shape;
  parameters?(input: Shape, options: Options): readonly ParameterDeclaration[];
  buffers?(input: Shape, options: Options): readonly BufferDeclaration[];
  /** For a layer that learns its buffers of the training part before the first step; it must be the first one. */
  readonly fit?: LayerFit<Options>;
  /** Memory for its kernels to work in. All layers share it: it holds nothing from one call to the next. */
  workspace?(input: Shape, options: Options): readonly Shape[];
  /**
   * For a layer that trains with chance: fills a tensor of the output's shape, once a step. Evaluated, the layer gets
   * none and must do without; in a gradient check it stays as it is.
   */
  draw?(out: Tensor, random: Random, options: Options): void;
  forward(context: ForwardContext<Options>): void;
  /** Writes into its buffers what it saw of a batch: once a step of training, after `forward`. */
  track?(context: ForwardContext<Options>): void;
  backward(context: BackwardContext<Options>): void;
  /**
   * For a layer with kinks: whether two inputs lie on different sides of one, or on one.
   * The gradient check uses it to tell a kink from an error.
   */
  crossesKink?(a: Tensor, b: Tensor, options: Options): boolean;
  /**
   * Where kinks lie between several numbers of an input: writes into `places` where those near one are to lie so that it is
   * `distance` away, those exactly on one on the side that `side` says; backward's own choice is -1.
   * @returns how many lay exactly on one. Left out, kinks lie at numbers by themselves.
   */
  holdOff?(places: Tensor['data'], input: Tensor, distance: number, side: 1 | -1, options: Options): number;
  /**
   * Lets the gradient check compute anew only what a moved number reaches; left out, it computes all of the layer.
   * The check compares a sample with the plain way, so that a wrong declaration costs time and nothing else.
   */
  readonly reach?: Reach;
  /**
   * Multiply-adds of one sample's way forward; none unless told. Additions alone, such as a bias, and functions of
   * single values are not counted.
   */
  macs?(input: Shape, output: Shape, options: Options): number;
  /** For the receptive field; unless told, `place` for a layer whose reach is `elementwise`, and `all` for any other. */
  sees?(options: Options): Sight;
  readonly idleness?: Idleness;
  /** For a layer that computes another thing in evaluation than in training. */
  modes?(options: Options): Modes | undefined;
  /** For a layer of the user's own: where its functions stand; no place of a backward where autograd stands in. */
  readonly code?: { readonly forward: CodePlace; readonly backward: CodePlace | null };
  /**
   * For a layer whose kinks lie within it: on which side of each it computes, -1, 1, or 0 on it. Goes forward anew.
   */
  sides?(context: ForwardContext<Options>): Int8Array;
  /** For a layer with a written backward: the gradients that autograd gives, instead; false where it cannot follow. */
  autograd?(context: BackwardContext<Options>): boolean;
}

/** Keeps the option type of a definition while it is stored beside others. */
export const defineLayer = <const Kind extends string, Options>(
  definition: LayerDefinition<Kind, Options>,
): LayerDefinition<Kind, Options> => definition;
