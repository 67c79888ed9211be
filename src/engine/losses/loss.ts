// The definition of a loss: a value and its gradient with respect to the prediction. Every loss is a mean over the
// batch unless its options ask for the sum, so that gradients do not grow with the batch size.
import type { LossFormulas } from '../formulas/definition';
import type { LossQuestions } from '../../protocol/model-info';
import type { SourceLocation } from '../../protocol/problem';
import type * as z from 'zod/mini';
import type { Kernels } from '../kernels/kernels';
import type { Tensor, TensorData } from '../kernels/tensor';
import type { OperationGraph } from '../layers/layer';
import type { ScaleOption } from '../scale-option';
import type { Reduction } from './reduction';

export interface LossContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  /** [batch, outputs], or [batch, positions, classes]. */
  readonly prediction: Tensor;
  /** The same shape; classes as one-hot rows, or 0 and 1 for a single output. A row of zeros is no target. */
  readonly target: Tensor;
}

/** The arguments of a custom loss, which does not compute on kernels. */
export type CustomLossContext<Options> = Omit<LossContext<Options>, 'kernels'>;

/**
 * What a loss takes as predictions: values; logits, to which it applies an activation itself; scores, which may be any
 * number; or what an activation has made of logits. Unknown for a custom loss.
 */
export type LossInput =
  'values' | 'logits' | 'scores' | 'probabilities' | 'distribution' | 'log_distribution' | 'unknown';

/** The activation between logits and a loss. */
export interface LossActivation {
  /** The layer that computes it. */
  readonly layer: string;
  /** For a loss on logits, the same loss on the activation's output; for any other, the one on logits. */
  readonly counterpart: string;
}

export interface LossDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  /** One sentence with the formula and what the mean is taken over. */
  readonly summary: string;
  /** Its value and its gradients. @param classes the outputs of a sample */
  formulas?(options: Options, classes: number): LossFormulas | null;
  /** What people ask about its value and its gradient, with answers in docs/systems.md. */
  readonly questions?: LossQuestions;
  readonly options: z.ZodMiniType<Options>;
  readonly takes: LossInput;
  /** For a loss on logits or on the output of an activation. */
  readonly activation?: LossActivation;
  /**
   * What a target must be: any number, a distribution over the outputs, or numbers in [0, 1], each output on its own.
   */
  readonly target: 'values' | 'classes' | 'binary';
  /** For a loss on values: what the best prediction is of the targets that belong to one input; the mean by default. */
  readonly estimates?: 'mean' | 'median';
  /** For a loss with an option that scales or limits its gradient: the option, and |dL/dŷ| at an error of 1. */
  scaledBy?(options: Options): ScaleOption;
  /** With a single output, predictions above this value are class 1; null if that is not known. */
  readonly threshold: number | null;
  /** For a loss without the option `reduction`. */
  readonly reduction?: Reduction;
  /** Whether it also takes predictions [batch, positions, classes] with a class at each position. */
  readonly atPositions?: true;
  /** For a loss with options about classes: how many class weights there are, and the class that is no target. */
  classOptions?(options: Options): { readonly weight?: number; readonly ignoreIndex?: number };
  /** What a mean divides by; the number of samples by default. Means of several batches are weighted by it. */
  meanWeight?(context: LossContext<Options>): number;
  value(context: LossContext<Options>): number;
  /** `value` for many predictions [perturbations, batch, outputs] of the same target, bit for bit. Optional. */
  batchValues?(context: LossContext<Options>, out: Tensor): void;
  /** For a loss on logits: writes the probabilities of its predictions. */
  probabilities?(kernels: Kernels, out: Tensor, prediction: Tensor): void;
  /** Writes dL/d prediction. */
  gradient(context: LossContext<Options>, gradPrediction: Tensor): void;
  /**
   * For a piecewise loss: 0 where element `index` of the prediction lies on a breakpoint, with opposite signs on its
   * two sides. At a breakpoint the derivative jumps (a kink) or is not smooth; the gradient check takes no difference
   * across it.
   */
  breakpoint?(prediction: Tensor['data'], target: Tensor, index: number, options: Options): number;

  /** For a custom loss: where its functions are; no backward if it uses autograd. */
  readonly sourceLocations?: { readonly forward: SourceLocation; readonly backward: SourceLocation | null };
  /** For a custom loss: the side of each kink of its operations. Runs the forward pass again. */
  kinkSides?(context: CustomLossContext<Options>): Int8Array;
  /** For a custom loss with a manual backward: autograd's gradient; null if the loss is not differentiable. */
  autograd?(context: CustomLossContext<Options>): TensorData | null;
  /** For a custom loss whose forward uses `ops`: runs it and returns the recorded operations; null without any. */
  operationGraph?(context: CustomLossContext<Options>): OperationGraph | null;
  /** For a custom loss: `value` without kernels, for tensors of the caller. */
  customValue?(context: CustomLossContext<Options>): number;
}

export const defineLoss = <const Kind extends string, Options>(
  definition: LossDefinition<Kind, Options>,
): LossDefinition<Kind, Options> => definition;

/** The class that is no target; undefined if every class is one. */
export const ignoreIndexOf = ({
  definition,
  options,
}: {
  readonly definition: LossDefinition;
  readonly options: unknown;
}): number | undefined => definition.classOptions?.(options).ignoreIndex;

/** How many targets there are: one for each sample, or for each of its positions. */
export const rowCount = ({ shape, data }: Tensor): number => data.length / shape[shape.length - 1]!;
