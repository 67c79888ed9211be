// Penalties on the size of weights: part of the training loss, its gradient, and the gradient check.
import type { CustomPenaltyDefinition } from './custom/custom-penalty';
import type { FunctionArguments } from './custom/custom-function';
import type { Kernels } from './kernels/kernels';
import type { Tensor } from './kernels/tensor';

/**
 * l1 Σ|w| + ½ l2 Σw², with the gradient l1 sign(w) + l2 w: l2 with biases equals weight_decay in plain SGD. The first
 * term has a kink at w = 0, where its derivative is taken to be 0.
 */
export interface Penalty {
  readonly l1: number;
  readonly l2: number;
  /** Whether to include parameters of one dimension, such as biases. */
  readonly biases: boolean;
  /** A function of all parameters that is added to the other terms. */
  readonly custom?: CustomPenalty;
}

export interface CustomPenalty {
  readonly definition: CustomPenaltyDefinition;
  readonly options: Readonly<Record<string, unknown>>;
  /** Line in the spec, from 1, for messages. */
  readonly line?: number;
}

/** The arguments of a call of a custom penalty. */
export const penaltyArguments = (
  { options }: CustomPenalty,
  parameters: readonly { readonly name: string; readonly value: Tensor }[],
): FunctionArguments => ({
  variables: Object.fromEntries(parameters.map(({ name, value }) => [name, value])),
  constants: {},
  options,
});

/** The custom part of a penalty; 0 without one. */
export const customPenaltyValue = (
  penalty: Penalty | undefined,
  parameters: readonly { readonly name: string; readonly value: Tensor }[],
): number => (penalty?.custom ? penalty.custom.definition.value(penaltyArguments(penalty.custom, parameters)) : 0);

interface Penalized {
  readonly value: Tensor;
  readonly gradient: Tensor;
}

export const isPenalized = ({ l1, l2, biases }: Penalty, { value }: Penalized): boolean =>
  (l1 !== 0 || l2 !== 0) && (biases || value.shape.length > 1);

/** The penalty on these parameters. */
export function penaltyValue(kernels: Kernels, { l1, l2 }: Penalty, parameters: readonly Penalized[]): number {
  let sum = 0;
  for (const { value } of parameters) {
    if (l1 !== 0) sum += l1 * kernels.absoluteSum(value);
    if (l2 !== 0) sum += 0.5 * l2 * kernels.moments(value).sumOfSquares;
  }
  return sum;
}

/** The penalty of one number of a penalized parameter. */
export const scalarPenalty = ({ l1, l2 }: Penalty, value: number): number =>
  l1 * Math.abs(value) + 0.5 * l2 * value * value;

/** Adds the gradient of the penalty to the parameters' gradients. */
export function addPenaltyGradient(kernels: Kernels, { l1, l2 }: Penalty, parameters: readonly Penalized[]): void {
  for (const { value, gradient } of parameters) {
    if (l2 !== 0) kernels.axpby(gradient, value, 1, l2);
    if (l1 !== 0) kernels.addSign(gradient, value, l1);
  }
}
