// The edges of a network. Layers are nodes in topological order: a layer comes after those whose outputs it takes, and
// the last one gives the prediction.

interface Layers {
  readonly layers: readonly { readonly inputs?: readonly number[] }[];
  readonly auxiliaryLosses?: readonly { readonly layer: number }[];
}

/** Stands for the network's input among the inputs of a layer. */
export const NETWORK_INPUT = -1;

/** One of a layer's inputs: that layer, and the position among its inputs. */
export interface InputEdge {
  readonly layer: number;
  readonly position: number;
}

/** The layers whose outputs a layer takes, in order. After the last layer: what each loss takes. */
export const inputsOf = ({ layers, auxiliaryLosses }: Layers, layer: number): readonly number[] => {
  if (layer > layers.length) return [auxiliaryLosses![layer - layers.length - 1]!.layer];
  return layers[layer]?.inputs ?? [layer - 1];
};

/** Whether an auxiliary loss takes the output of a layer. */
export const hasAuxiliaryLoss = ({ auxiliaryLosses = [] }: Layers, layer: number): boolean =>
  auxiliaryLosses.some((loss) => loss.layer === layer);

/**
 * Where the output of a layer, or the network's input, goes, from the first layer to the last; the loss is not listed.
 */
export function consumersOf(model: Layers, source: number): readonly InputEdge[] {
  let edges = knownConsumers.get(model.layers);
  if (!edges) {
    edges = new Map();
    for (const layer of model.layers.keys())
      for (const [position, input] of inputsOf(model, layer).entries()) {
        const known = edges.get(input);
        if (known) known.push({ layer, position });
        else edges.set(input, [{ layer, position }]);
      }
    knownConsumers.set(model.layers, edges);
  }
  return edges.get(source) ?? [];
}

/** The consumers of each layer, for each network: searching all layers for each would take quadratic time. */
const knownConsumers = new WeakMap<Layers['layers'], Map<number, InputEdge[]>>();

/** Whether every layer takes the output of the one before and nothing else, from `first` on. */
export const isChainFrom = (model: Layers, first: number): boolean =>
  model.layers.slice(first).every((_, i) => {
    const inputs = inputsOf(model, first + i);
    return inputs.length === 1 && inputs[0] === first + i - 1;
  });

/** The layers that the output of a layer depends on, in topological order, without the layer itself. */
export function ancestorsOf(model: Layers, layer: number): number[] {
  const reached = new Set([layer]);
  for (let i = layer; i >= 0; i--) if (reached.has(i)) inputsOf(model, i).forEach((input) => reached.add(input));
  reached.delete(layer);
  reached.delete(NETWORK_INPUT);
  return [...reached].sort((a, b) => a - b);
}

/** These layers and all that depend on their outputs, in topological order. */
export function dependentsOf(model: Layers, sources: readonly number[]): number[] {
  const reached = new Set(sources);
  model.layers.forEach((_, layer) => {
    if (inputsOf(model, layer).some((input) => reached.has(input))) reached.add(layer);
  });
  return [...reached].sort((a, b) => a - b);
}

/** Where the gradient of one of a layer's inputs goes. */
export interface GradientRoute {
  /** The layer whose output it is, or NETWORK_INPUT. */
  readonly source: number;
  /** Whether a later layer or a loss has written a gradient of that output already, so that this one is added to it. */
  readonly adds: boolean;
}

/** The routes of gradients, for each layer and input. A backward pass goes from the last layer to the first. */
export function gradientRoutes(model: Layers): readonly (readonly GradientRoute[])[] {
  const written = new Set(model.auxiliaryLosses?.map(({ layer }) => layer));
  return [...model.layers.keys()]
    .reverse()
    .map((layer) =>
      inputsOf(model, layer).map((source) => {
        const adds = written.has(source);
        written.add(source);
        return { source, adds };
      }),
    )
    .reverse();
}
