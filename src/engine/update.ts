// One update of a network's parameters: gradients as backprop left them, held in bounds, handed to the optimizer.
import type { Network, Parameter } from './network';
import type { OptimizerDefinition } from './optimizers/optimizer';

/** How gradients are held in bounds before an update; at most one of the two. */
export interface Clip {
  /** Most that the Euclidean norm of all gradients together may be: longer ones are shortened as one vector. */
  readonly norm?: number;
  /** Most that any entry may be, on either side of 0. */
  readonly value?: number;
}

export interface UpdateRule {
  readonly definition: OptimizerDefinition;
  readonly options: { readonly lr: number };
  readonly clip: Clip;
}

/** PyTorch's guard in clip_grad_norm_. */
const GUARD = 1e-6;

/** Euclidean norm of the gradients of all parameters that are updated, as one vector. */
export function gradientNorm({ kernels, parameters }: Network): number {
  let squares = 0;
  for (const { gradient, frozen } of parameters) if (!frozen) squares += kernels.moments(gradient).sumOfSquares;
  return Math.sqrt(squares);
}

/** What every gradient is multiplied by: clip.norm / (norm + 1e-6), at most 1, as clip_grad_norm_ has it. */
export const clipFactor = (network: Network, { norm }: Clip): number =>
  norm === undefined ? 1 : Math.min(1, norm / (gradientNorm(network) + GUARD));

/**
 * Updates one parameter. Its gradient stays as it is: a clipped one lies in the scratch tensor.
 * @param step counted from 1
 * @param factor of `clipFactor`, before the first parameter of this step was updated
 * @param numbers of `numbersOf`
 */
export function updateParameter(
  network: Network, rule: UpdateRule, parameter: Parameter, lr: number, step: number, factor: number, numbers = numbersOf(rule, lr, step),
): void {
  const { kernels } = network;
  const { definition, options, clip } = rule;
  const { value, scratch, optimizerState: state } = parameter;
  let { gradient } = parameter;
  if (clip.value !== undefined) {
    kernels.clamp(scratch, gradient, -clip.value, clip.value);
    gradient = scratch;
  } else if (factor !== 1) {
    kernels.scale(scratch, gradient, factor);
    gradient = scratch;
  }
  definition.update({ kernels, options, lr, step, numbers, value, gradient, scratch, state });
}

/** What a step's updates take that others do not. @param step counted from 1 */
export const numbersOf = ({ definition, options }: UpdateRule, lr: number, step: number): readonly number[] => definition.numbers?.(options, lr, step) ?? [];

/** Updates every parameter that is not frozen. @param step counted from 1 @param numbers of `numbersOf` */
export function updateParameters(network: Network, rule: UpdateRule, lr: number, step: number, numbers = numbersOf(rule, lr, step)): void {
  const factor = clipFactor(network, rule.clip);
  for (const parameter of network.parameters) {
    if (!parameter.frozen) updateParameter(network, rule, parameter, lr, step, factor, numbers);
  }
}
