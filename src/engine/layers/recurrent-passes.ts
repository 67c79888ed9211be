// The passes of a recurrent layer through time: one for each of its stacked layers and directions, in the order of
// PyTorch's parameters (l0, l0_reverse, l1, …), and the tensors of each.
import { cached } from '../kernels/cached';
import type { Tensor } from '../kernels/tensor';
import { timeSteps } from './time-steps';

interface Sizes {
  readonly hidden_size: number;
  readonly num_layers: number;
  readonly bidirectional: boolean;
}

export interface RecurrentPass {
  /** The stacked layer, from 0. */
  readonly layer: number;
  /** 0, or 1 for the direction that reads backward. */
  readonly direction: number;
  readonly reverse: boolean;
  /** What PyTorch appends to the names of its parameters: `_l0`, `_l0_reverse`. */
  readonly suffix: string;
  /** The same for its internals and in formulas; empty where there is one pass only. */
  readonly internalSuffix: string;
}

/** One for each combination of the two options. */
const knownPasses = new Map<string, readonly RecurrentPass[]>();

export function passesOf({ num_layers, bidirectional }: Sizes): readonly RecurrentPass[] {
  const key = `${num_layers} ${bidirectional}`;
  let passes = knownPasses.get(key);
  if (!passes) {
    const isSingle = num_layers === 1 && !bidirectional;
    passes = Array.from({ length: num_layers }, (_, layer) =>
      [false, true].slice(0, bidirectional ? 2 : 1).map((reverse, direction) => {
        const suffix = `_l${layer}${reverse ? '_reverse' : ''}`;
        return { layer, direction, reverse, suffix, internalSuffix: isSingle ? '' : suffix };
      }),
    ).flat();
    knownPasses.set(key, passes);
  }
  return passes;
}

/** Features that a stacked layer passes on: the hidden states of all directions. */
export const featuresOf = ({ hidden_size, bidirectional }: Sizes): number => hidden_size * (bidirectional ? 2 : 1);

/** The internal with what a stacked layer takes, [time, features]. */
export const inputsName = (layer: number): string => `inputs_l${layer}`;

/** The internal with the state before the first time step, which is 0. All passes share it. */
export const initial = (state: string): string => `initial_${state}`;

/** The internal with what goes past a time step that is padding. All passes share it. */
export const held = (state: string): string => `held_${state}`;

/** Tensors [batch, hidden] by name and time step. */
export type Steps = Readonly<Record<string, readonly Tensor[]>>;

const stepsBySuffix = cached((_internals: Readonly<Record<string, Tensor>>) => new Map<string, Steps>());

/**
 * The internals of a pass, named without its suffix, or their gradients. Time steps are in the order in which the pass
 * computes them.
 * @param names those that belong to a pass
 * @param shared those that belong to all
 */
export function stepsOfPass(
  internals: Readonly<Record<string, Tensor>>,
  { internalSuffix, reverse }: RecurrentPass,
  names: readonly string[],
  shared: readonly string[],
): Steps {
  const known = stepsBySuffix(internals);
  let steps = known.get(internalSuffix);
  if (!steps) {
    const inOrder = (tensor: Tensor): readonly Tensor[] =>
      reverse ? timeSteps(tensor).toReversed() : timeSteps(tensor);
    steps = Object.fromEntries([
      ...names.map((name) => [name, inOrder(internals[name + internalSuffix]!)] as const),
      ...shared.flatMap((name) => (internals[name] ? [[name, timeSteps(internals[name])] as const] : [])),
    ]);
    known.set(internalSuffix, steps);
  }
  return steps;
}
