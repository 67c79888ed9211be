// Updates a network's parameters: clips the gradients of backprop and passes them to the optimizer.
import type { NetworkTensors, Parameter } from './network-model';
import type { OptimizerDefinition } from './optimizers/optimizer';

/** How to clip gradients before an update; at most one of the two. */
export interface GradientClipping {
  /** Upper limit of the Euclidean norm of all gradients together. */
  readonly norm?: number | undefined;
  /** Upper limit of the absolute value of every entry. */
  readonly value?: number | undefined;
}

export interface UpdateRule {
  readonly definition: OptimizerDefinition;
  readonly options: { readonly lr: number };
  readonly clip: GradientClipping;
}

/** The same as in PyTorch's clip_grad_norm_. */
const CLIP_EPSILON = 1e-6;

/** Euclidean norm of the gradients of all trained parameters, as one vector. */
export function gradientNorm({ kernels, parameters }: NetworkTensors): number {
  let squares = 0;
  for (const { gradient, frozen } of parameters) if (!frozen) squares += kernels.moments(gradient).sumOfSquares;
  return Math.sqrt(squares);
}

/** The factor of every gradient: clip.norm / (norm + 1e-6), at most 1, as in clip_grad_norm_. */
export const clipCoefficient = (network: NetworkTensors, { norm }: GradientClipping): number =>
  norm === undefined ? 1 : Math.min(1, norm / (gradientNorm(network) + CLIP_EPSILON));

/**
 * Updates one parameter. Its gradient does not change: the scratch tensor holds the clipped one.
 * @param step counted from 1
 * @param clipBy of `clipCoefficient`, before the first parameter of this step is updated
 * @param coefficients of `stepCoefficients`
 */
export function updateParameter(
  network: NetworkTensors,
  rule: UpdateRule,
  parameter: Parameter,
  lr: number,
  step: number,
  clipBy: number,
  coefficients = stepCoefficients(rule, lr, step),
): void {
  const { kernels } = network;
  const { definition, options, clip } = rule;
  const { value, scratch, optimizerState: state } = parameter;
  let { gradient } = parameter;
  if (clip.value !== undefined) {
    kernels.clamp(scratch, gradient, -clip.value, clip.value);
    gradient = scratch;
  } else if (clipBy !== 1) {
    kernels.scale(scratch, gradient, clipBy);
    gradient = scratch;
  }
  definition.update({ kernels, options, lr, step, coefficients, value, gradient, scratch, state });
}

/** The coefficients of an update that change with every step. @param step counted from 1 */
export const stepCoefficients = ({ definition, options }: UpdateRule, lr: number, step: number): readonly number[] =>
  definition.stepCoefficients?.(options, lr, step) ?? [];

/** Updates every parameter that is not frozen. @param step counted from 1 @param coefficients of `stepCoefficients` */
export function updateParameters(
  network: NetworkTensors,
  rule: UpdateRule,
  lr: number,
  step: number,
  coefficients = stepCoefficients(rule, lr, step),
): void {
  const clipBy = clipCoefficient(network, rule.clip);
  for (const parameter of network.parameters) {
    if (!parameter.frozen) updateParameter(network, rule, parameter, lr, step, clipBy, coefficients);
  }
}
