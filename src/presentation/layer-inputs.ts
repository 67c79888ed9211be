// Where layers get their inputs, in words.

interface ConnectedLayer {
  readonly name: string;
  /** Layer indexes; -1 is the network's input. */
  readonly inputs: readonly number[];
}

/** The names of a layer's inputs, in order. */
export const inputNames = (layers: readonly ConnectedLayer[], index: number): string[] =>
  (layers[index]?.inputs ?? []).map((input) => layers[input]?.name ?? 'input');

/** `linear1, tanh2`; null for a layer that takes the output of the one before and nothing else. */
export function describeInputs(layers: readonly ConnectedLayer[], index: number): string | null {
  const inputs = layers[index]?.inputs ?? [];
  return inputs.length === 1 && inputs[0] === index - 1 ? null : inputNames(layers, index).join(', ');
}

/** Whether a network is more than a chain of layers. */
export const hasBranches = (layers: readonly ConnectedLayer[]): boolean =>
  layers.some((_, index) => describeInputs(layers, index) !== null);
