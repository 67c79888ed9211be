// The types of custom layers, losses and penalties. A layer file has one object as its default export:
//
//   import type { Layer } from './nablascope.d.ts';
//
//   export default {
//     forward: ({ x, ops }) => ops.multiply(x, ops.sigmoid(x)),
//   } satisfies Layer;
//
// Type imports are removed before the file runs, so there is nothing to install.

/**
 * Row-major sizes. Shapes in `parameters` and `outputShape` are those of one sample; tensors have the batch in front.
 */
export type Shape = readonly number[];

/** Numbers in row-major order: element [i, j] of a matrix is `data[i * shape[1] + j]`. */
export interface Tensor {
  readonly shape: Shape;
  /** `Float32Array` or `Float64Array`, by the spec's precision; gradient checks use float64. */
  readonly data: Float32Array | Float64Array;
}

/** A tensor, or a number that is broadcast to any shape. */
export type Operand = Tensor | number;

/** An initializer of docs/spec.md: `"zeros"`, `{ "type": "normal", "std": 0.1 }`. */
export type Initializer = string | { readonly type: string; readonly [option: string]: unknown };

/** A parameter: its shape and its initial values. By default, they are drawn as in PyTorch's linear layer. */
export type Parameter =
  Shape | { readonly shape: Shape; readonly init?: Initializer; readonly values?: readonly number[] };

/**
 * Differentiable operations on tensors. Shapes are broadcast as in NumPy and PyTorch; negative axes count from the
 * last. A layer that uses them needs no `backward`.
 */
export interface Ops {
  /** A constant tensor of these values, by default 0; it gets no gradient. */
  tensor(shape: Shape, values?: ArrayLike<number> | number): Tensor;
  /** The same numbers without a gradient. */
  detach(x: Tensor): Tensor;

  add(a: Operand, b: Operand): Tensor;
  subtract(a: Operand, b: Operand): Tensor;
  multiply(a: Operand, b: Operand): Tensor;
  divide(a: Operand, b: Operand): Tensor;
  /** a to the power of b, element by element. */
  pow(a: Operand, b: Operand): Tensor;
  /** The maximum; equal operands get half of the gradient each, as in PyTorch. Has a kink. */
  maximum(a: Operand, b: Operand): Tensor;
  /** The minimum; equal operands get half of the gradient each, as in PyTorch. Has a kink. */
  minimum(a: Operand, b: Operand): Tensor;

  negate(x: Operand): Tensor;
  exp(x: Operand): Tensor;
  /** The natural logarithm. */
  log(x: Operand): Tensor;
  sqrt(x: Operand): Tensor;
  tanh(x: Operand): Tensor;
  /** 1 / (1 + exp(-x)). */
  sigmoid(x: Operand): Tensor;
  /** max(0, x); its derivative at 0 is 0, as in PyTorch. Has a kink. */
  relu(x: Operand): Tensor;
  /** |x|; its derivative at 0 is 0. Has a kink. */
  abs(x: Operand): Tensor;

  /** Sum over some axes, by default all; `keep` keeps them in the shape with size 1. */
  sum(x: Tensor, axes?: number | readonly number[], keep?: boolean): Tensor;
  /** Mean over some axes, by default all. */
  mean(x: Tensor, axes?: number | readonly number[], keep?: boolean): Tensor;
  /** exp(x) / Σ exp(x) along one axis, by default the last. */
  softmax(x: Tensor, axis?: number): Tensor;
  /** The logarithm of softmax, finite for large x. */
  logSoftmax(x: Tensor, axis?: number): Tensor;

  /** [..., m, k] times [..., k, n]; the axes before the last two are broadcast. */
  matmul(a: Tensor, b: Tensor): Tensor;
  /** The axes in another order; by default, swaps the last two. */
  transpose(x: Tensor, order?: readonly number[]): Tensor;
  /** The same numbers in another shape; one size may be -1 to infer it from the others. */
  reshape(x: Tensor, shape: Shape): Tensor;
  /** Concatenates tensors along an axis, by default the last. */
  concatenate(tensors: readonly Tensor[], axis?: number): Tensor;
  /** Positions `from` to `to` (exclusive) along an axis. Negative positions count from the end. */
  slice(x: Tensor, axis: number, from: number, to?: number): Tensor;
  /** The entries at these positions along an axis, in this order; a position may repeat. */
  take(x: Tensor, axis: number, places: readonly number[]): Tensor;
  /** Joins tensors of equal shape along a new axis, by default the first. */
  stack(tensors: readonly Tensor[], axis?: number): Tensor;
  /** Cuts an axis, by default the last, into a number of equal parts, or into parts of these sizes. */
  split(x: Tensor, parts: number | readonly number[], axis?: number): Tensor[];
  /** y[i][j] = x[index[i][j]][j] for axis 0, as torch.gather; the index gets no gradient. */
  gather(x: Tensor, axis: number, index: Tensor): Tensor;
  /** y[index[i][j]][j] += x[i][j] for axis 0, from zeros of `size` along the axis, as torch.scatter_add. */
  scatterAdd(x: Tensor, axis: number, index: Tensor, size: number): Tensor;
  /** `a` where the condition is not 0, elsewhere `b`; the condition gets no gradient. */
  where(condition: Operand, a: Operand, b: Operand): Tensor;
  /**
   * Convolution of [batch, channels, height, width] with [filters, channels, rows, columns], as torch.nn.functional's;
   * stride, padding and dilation are one number, or one for rows and one for columns.
   */
  conv2d(
    x: Tensor,
    weight: Tensor,
    options?: {
      readonly stride?: number | readonly [number, number];
      readonly padding?: number | readonly [number, number];
      readonly dilation?: number | readonly [number, number];
    },
  ): Tensor;
}

/** Random numbers. Forward and backward pass of a step draw the same ones in the same order. */
export interface Draws {
  /** From 0 (included) to 1 (excluded). */
  uniform(shape: Shape): Tensor;
  /** With mean 0 and standard deviation 1. */
  normal(shape: Shape): Tensor;
}

export interface ForwardCall<Options = Record<string, unknown>> {
  /** The input, [batch, ...input shape]. Do not change it: it is still needed. */
  readonly x: Tensor;
  /** All inputs of a layer that takes several; the first one is `x`. */
  readonly inputs: readonly Tensor[];
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** `options` of the layer in the spec. */
  readonly options: Options;
  readonly ops: Ops;
  /** False in evaluation, where dropout passes all values on. */
  readonly training: boolean;
  /**
   * For a layer that declares `random`: numbers that are fixed by the run's seed, the step and the sample. A gradient
   * check holds them fixed. A layer that does not declare it gets the same numbers in every step.
   */
  readonly random: Draws;
}

export interface BackwardCall<Options = Record<string, unknown>> extends ForwardCall<Options> {
  /** The output of `forward`. */
  readonly y: Tensor;
  /** The gradient of the loss with respect to y. */
  readonly dy: Tensor;
}

export interface Gradients {
  /** The gradient with respect to x, with its shape. */
  readonly dx: Tensor;
  /** The gradient with respect to each parameter, summed over the batch. Optional if there are none. */
  readonly parameters?: Readonly<Record<string, Tensor>>;
}

/** What the backward pass of a layer with several inputs returns. */
export interface InputGradients {
  /** The gradient with respect to each input, with its shape. */
  readonly dInputs: readonly Tensor[];
  /** The same as in `Gradients`. */
  readonly parameters?: Readonly<Record<string, Tensor>>;
}

/** The default export of a layer file. */
export interface Layer<Options = Record<string, unknown>> {
  /** How many inputs the layer takes; one by default. The spec names them: `"inputs": ["a", "b"]`. */
  inputCount?: number | { readonly min: number; readonly max: number };
  /** The trained parameters, by name; none by default. `inputShapes` are those of all inputs. */
  parameters?(inputShape: Shape, options: Options, inputShapes: readonly Shape[]): Readonly<Record<string, Parameter>>;
  /** The shape of one sample's output; by default, that of the first input. */
  outputShape?(inputShape: Shape, options: Options, inputShapes: readonly Shape[]): Shape;
  /** Returns the output, [batch, ...output shape], as a new tensor. */
  forward(call: ForwardCall<Options>): Tensor;
  /**
   * Returns the gradients. By default, autograd computes them from `forward`; with both, the gradient check compares
   * them.
   */
  backward?(call: BackwardCall<Options>): Gradients | InputGradients;
  /**
   * What the panel shows as its formulas: `y = …`, `d(x) = …` and, for each parameter, `d(name) = …`. By default, they
   * are derived from the operations of `forward`. See docs/custom-layers.md.
   */
  formulas?:
    readonly string[] | ((inputShape: Shape, options: Options, inputShapes: readonly Shape[]) => readonly string[]);
  /** Whether it draws new random numbers in every training step; false by default. */
  random?: boolean;
  /**
   * For a `backward` that differs from `forward` on purpose, such as a straight-through estimator or gradient reversal:
   * why, and the function whose gradient `backward` gives instead. The gradient check compares with that function.
   */
  surrogate?: Surrogate<Options>;
}

/** What `backward` is the gradient of, where that is not `forward`. */
export interface Surrogate<Options = Record<string, unknown>> {
  /** Shown with the result of the check, such as "straight-through estimator". */
  readonly reason: string;
  /** Gives a tensor of the output's shape. */
  forward(call: ForwardCall<Options>): Tensor;
}

export interface LossCall<Options = Record<string, unknown>> {
  /** The output of the network, [batch, outputs]. Do not change it: it is still needed. */
  readonly outputs: Tensor;
  /** [batch, outputs]: values; classes as one-hot rows, or as 0 and 1 for a single output. */
  readonly targets: Tensor;
  /** `options` of the loss in the spec. */
  readonly options: Options;
  readonly ops: Ops;
}

export interface LossBackwardCall<Options = Record<string, unknown>> extends LossCall<Options> {
  /** The result of `forward`. */
  readonly loss: number;
}

export interface LossGradient {
  /** The gradient of the loss with respect to `outputs`, with their shape. */
  readonly dOutputs: Tensor;
}

/** The default export of the file of a loss. */
export interface Loss<Options = Record<string, unknown>> {
  /**
   * Returns the loss of the batch: one number, as a tensor of one element. With a manual `backward`, it may be a plain
   * number.
   */
  forward(call: LossCall<Options>): Tensor | number;
  /**
   * Returns the gradient. By default, autograd computes it from `forward`; with both, the gradient check compares them.
   */
  backward?(call: LossBackwardCall<Options>): LossGradient;
  /**
   * Whether `forward` returns the mean over the samples of the batch, which is the default, or their sum. `forward` and
   * `backward` compute it themselves; the declaration says how losses of batches combine to that of a whole split.
   */
  reduction?: 'mean' | 'sum';
  /** What the panel shows as its formulas: `l = …`, `d(yhat) = …` and, for the targets, `d(y) = …`. */
  formulas?: readonly string[] | ((options: Options) => readonly string[]);
  /** For a network with a single output and two classes: the output above which a sample is in class 1. */
  threshold?: number;
}

export interface PenaltyCall<Options = Record<string, unknown>> {
  /** All parameters of the network, by name, such as `linear1.weight`. Do not change them. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** `options` of the penalty in the spec. */
  readonly options: Options;
  readonly ops: Ops;
}

export interface PenaltyBackwardCall<Options = Record<string, unknown>> extends PenaltyCall<Options> {
  /** The result of `forward`. */
  readonly penalty: number;
}

export interface PenaltyGradients {
  /** The gradient with respect to each parameter, by name. A parameter that is not listed has the gradient 0. */
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** The default export of the file of a penalty, which is added to the training loss. */
export interface Penalty<Options = Record<string, unknown>> {
  /** Returns one number, as a tensor of one element. With a manual `backward`, it may be a plain number. */
  forward(call: PenaltyCall<Options>): Tensor | number;
  /** Returns the gradients. By default, autograd computes them from `forward`. */
  backward?(call: PenaltyBackwardCall<Options>): PenaltyGradients;
}
