// The definition of an optimizer: its state for each parameter, and how a gradient becomes an update.
import type * as z from 'zod/mini';
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export interface UpdateContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  /** The learning rate of this step. */
  readonly lr: number;
  /** The number of this update, from 1. */
  readonly step: number;
  /** The `stepCoefficients` of this update. */
  readonly coefficients: readonly number[];
  readonly value: Tensor;
  /** Read only. */
  readonly gradient: Tensor;
  /** Scratch memory of the parameter's shape; may be the gradient itself. */
  readonly scratch: Tensor;
  /** One tensor of the parameter's shape for each name in `state`, initially 0. */
  readonly state: readonly Tensor[];
}

export interface OptimizerDefinition<Kind extends string = string, Options extends { lr: number } = { lr: number }> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** The assignments of an update of the weight w in LaTeX, in order: g is the gradient, η the learning rate. */
  rule(options: Options): readonly string[];
  readonly options: z.ZodMiniType<Options>;
  /** Whether an update depends on the step number. */
  readonly dependsOnStep?: boolean;
  /**
   * The numbers of an update that change with every step; `update` passes them to kernels unchanged and uses neither
   * `lr` nor `step`.
   */
  stepCoefficients?(options: Options, lr: number, step: number): readonly number[];
  /** Names of the state tensors of each parameter. */
  state(options: Options): readonly string[];
  /** Updates `value` and `state` in place, each element on its own. */
  update(context: UpdateContext<Options>): void;
}

/**
 * The gradient of the loss and of ½ weightDecay ‖w‖²: g + weightDecay w, in the scratch tensor if it differs from g.
 */
export function addWeightDecay(
  { kernels, value, gradient, scratch }: UpdateContext<unknown>,
  weightDecay: number,
): Tensor {
  if (weightDecay === 0) return gradient;
  if (scratch !== gradient) kernels.copy(scratch, gradient);
  kernels.axpby(scratch, value, 1, weightDecay);
  return scratch;
}

export const defineOptimizer = <const Kind extends string, Options extends { lr: number }>(
  definition: OptimizerDefinition<Kind, Options>,
): OptimizerDefinition<Kind, Options> => definition;
