// What an optimizer is: the state it keeps for each parameter, and how a gradient becomes an update.
import type * as z from 'zod/mini';
import type { Kernels } from '../kernels/kernels';
import type { Tensor } from '../kernels/tensor';

export interface UpdateContext<Options> {
  readonly kernels: Kernels;
  readonly options: Options;
  /** The learning rate of this step. */
  readonly lr: number;
  /** Updates of this parameter, this one counted: 1 for the first. */
  readonly step: number;
  /** What the definition's `numbers` gave for this update. */
  readonly numbers: readonly number[];
  readonly value: Tensor;
  /** Not to be changed. */
  readonly gradient: Tensor;
  /** Of the parameter's shape, to work in; may be the gradient itself. */
  readonly scratch: Tensor;
  /** One tensor of the parameter's shape for each name in `state`, zero at the start. */
  readonly state: readonly Tensor[];
}

export interface OptimizerDefinition<Kind extends string = string, Options extends { lr: number } = { lr: number }> {
  readonly kind: Kind;
  readonly summary: string;
  /** The update of a weight w in LaTeX, η the learning rate; `\d{w}` stands for ∂L/∂w. */
  readonly math?: { readonly update: string };
  readonly options: z.ZodMiniType<Options>;
  /** Whether an update depends on the number of the step. */
  readonly counts?: boolean;
  /**
   * What an update takes that is another at each step, which it hands on to kernels as it is. An update with them uses neither
   * `lr` nor `step`.
   */
  numbers?(options: Options, lr: number, step: number): readonly number[];
  /** Names of the tensors kept for each parameter. */
  state(options: Options): readonly string[];
  /** Updates `value` and `state` in place. */
  update(context: UpdateContext<Options>): void;
}

/** The gradient of the loss and of ½ weightDecay ‖w‖²: g + weightDecay w, in the scratch tensor where it differs from g. */
export function decayed({ kernels, value, gradient, scratch }: UpdateContext<unknown>, weightDecay: number): Tensor {
  if (weightDecay === 0) return gradient;
  if (scratch !== gradient) kernels.copy(scratch, gradient);
  kernels.combine(scratch, value, 1, weightDecay);
  return scratch;
}

export const defineOptimizer = <const Kind extends string, Options extends { lr: number }>(
  definition: OptimizerDefinition<Kind, Options>,
): OptimizerDefinition<Kind, Options> => definition;
