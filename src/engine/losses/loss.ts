// What a loss is: a value and its gradient with respect to the prediction. Every loss here is a mean over
// the batch unless its options ask for the sum, so that a gradient does not grow with the batch size.
import type * as z from 'zod/mini';
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export interface LossContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  /** [batch, outputs]. */
  readonly prediction: Tensor;
  /** [batch, outputs]; classes as one-hot rows, or 0 and 1 for a single output. */
  readonly target: Tensor;
}

/** Formulas in LaTeX: N samples, K outputs; `\d{x}` stands for ∂L/∂x. */
export interface LossMath {
  readonly value: string;
  /** Of dL/d prediction. */
  readonly gradient: string;
}

export interface LossDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** One sentence with the formula and the convention of its mean. */
  readonly summary: string;
  readonly math?: LossMath;
  readonly options: z.ZodMiniType<Options>;
  /** What a target must be: any number, a distribution over the outputs, or numbers in [0, 1]. */
  readonly target: 'values' | 'classes' | 'binary';
  /** With a single output, predictions above this are class 1. */
  readonly threshold: number;
  value(context: LossContext<Options>): number;
  /** `value` of many predictions [moves, batch, outputs] of the same target, to the bit; left out, they are computed one by one. */
  values?(context: LossContext<Options>, out: Tensor): void;
  /** Writes dL/d prediction. */
  gradient(context: LossContext<Options>, gradPrediction: Tensor): void;
  /**
   * For a loss in pieces: 0 where element `index` of the prediction lies on a seam, of another sign on each side of it.
   * A seam is where the slope jumps (a kink) or bends; no difference of the gradient check may reach across it.
   */
  seam?(prediction: Tensor['data'], target: Tensor, index: number, options: Options): number;
}

export const defineLoss = <const Kind extends string, Options>(
  definition: LossDefinition<Kind, Options>,
): LossDefinition<Kind, Options> => definition;
