// From the names in `inputs` and `share` to the graph of layers, in topological order, or to the problems with its
// edges.
import { customLayerSpec } from '../engine/custom/custom-layer-spec';
import { layers as layerTable } from '../engine/layers';
import type { LayerDefinition } from '../engine/layers/layer';
import { NETWORK_INPUT } from '../engine/network-graph';
import type { Problem } from '../protocol/problem';
import { INPUT_NAME } from './blocks/block';
import type { ExpandedLayer } from './blocks/expand';
import { didYouMean, plainNames, suggestName } from './name-suggestions';
import type { ParsedLayer } from './schema';
import type { SpecLayer } from './spec';
import { createProblem, quote, type Source } from './spec-source';

/** A layer with its unique name, not yet connected to others. */
export type NamedLayer = Omit<SpecLayer, 'inputs' | 'share'>;

export interface ConnectedLayers {
  /** In topological order; empty if there are problems. */
  readonly layers: readonly SpecLayer[];
  /** The layer whose output each auxiliary loss takes. */
  readonly heads: readonly number[];
  readonly problems: readonly Problem[];
}

/**
 * @param expanded the written layers, one for each of `named`
 * @param lossInputs the layer that each auxiliary loss names; the last one by default
 */
export function connectLayers(
  source: Source,
  named: readonly NamedLayer[],
  expanded: readonly ExpandedLayer<ParsedLayer>[],
  lossInputs: readonly (string | undefined)[],
): ConnectedLayers {
  const problems: Problem[] = [];
  // The first of several layers with one name; that they have it is a problem of its own.
  const indexByName = new Map(named.map(({ name }, i): [string, number] => [name, i]).reverse());
  const lookUp = (name: string, { scopes }: ExpandedLayer<ParsedLayer>): number | undefined =>
    scopes.find((scope) => scope.has(name))?.get(name) ??
    indexByName.get(name) ??
    (name === INPUT_NAME ? NETWORK_INPUT : undefined);
  const unknown = (name: string, path: (string | number)[], others: readonly string[]): void => {
    const known = plainNames(others);
    problems.push(
      createProblem(
        'unknown-layer',
        source.locate(path),
        `There is no layer ${quote(name)}.`,
        didYouMean(name, known),
        suggestName(name, known),
      ),
    );
  };

  const inputs = expanded.map((layer, index): readonly number[] => {
    const names = layer.block === undefined ? layer.layer.inputs : undefined;
    const given =
      names?.map((name, i) => {
        const found = lookUp(name, layer);
        if (found === undefined) unknown(name, [...layer.path, 'inputs', i], [...indexByName.keys(), INPUT_NAME]);
        return found ?? index;
      }) ?? layer.inputs;
    return given;
  });
  // The padding of a layer is where the indices of the embedding before it say so.
  const written = inputs.map((given) => [...given]);
  named.forEach((layer, index) => {
    if (readsPadding(layer)) inputs[index] = [...inputs[index]!, indexSourceOf(named, written, index)];
  });
  const shares = expanded.map((layer) => {
    const name = layer.block === undefined ? layer.layer.share : undefined;
    if (name === undefined) return undefined;
    const whole = lookUp(name, layer);
    if (whole !== undefined && whole >= 0) return { layer: whole };
    const dot = name.lastIndexOf('.');
    const owner = dot < 0 ? undefined : lookUp(name.slice(0, dot), layer);
    if (owner !== undefined && owner >= 0) return { layer: owner, parameter: name.slice(dot + 1) };
    unknown(name, [...layer.path, 'share'], [...indexByName.keys()]);
    return undefined;
  });
  const heads = lossInputs.map((name, i): number => {
    const found = name === undefined ? named.length - 1 : indexByName.get(name);
    if (found === undefined) unknown(name!, ['auxiliary_losses', i, 'input'], [...indexByName.keys()]);
    return found ?? 0;
  });
  const failed = (): ConnectedLayers => ({ layers: [], heads: [], problems });
  if (problems.length > 0) return failed();

  const order = topologicalOrder(inputs);
  if (order.length < named.length) {
    problems.push(cycleProblem(source, named, inputs, order));
    return failed();
  }
  const used = new Set([...inputs.flat(), ...heads]);
  named.forEach(({ name, range }, i) => {
    // The last layer that is written gives the prediction.
    if (i === named.length - 1 || used.has(i)) return;
    const message = `No layer and no loss takes the output of ${name}.`;
    const remedy = `Name ${quote(name)} in the "inputs" of a layer or in "auxiliary_losses", or remove it.`;
    problems.push(createProblem('unused-layer', range, message, remedy));
  });
  const last = named.at(-1)!;
  if (order.at(-1) !== named.length - 1 && problems.length === 0) {
    const after = named[order.at(-1)!]!;
    const message = `${after.name} depends on ${last.name}, the last layer of the list, which gives the prediction.`;
    problems.push(
      createProblem('prediction-not-last', after.range, message, 'Write the layer that gives the prediction last.'),
    );
  }
  const position = new Map(order.map((index, at): [number, number] => [index, at]));
  shares.forEach((share, i) => {
    if (!share || (position.get(share.layer) ?? 0) < (position.get(i) ?? 0)) return;
    const [owner, name] = [named[share.layer]!.name, named[i]!.name];
    problems.push(
      createProblem(
        'share-order',
        source.locate([...named[i]!.path, 'share']),
        owner === name
          ? `${name} cannot share its own parameters.`
          : `${name} shares parameters of ${owner}, which comes after it.`,
        owner === name ? 'Remove "share".' : `Write "share": ${quote(name)} in ${owner} instead.`,
      ),
    );
  });
  if (problems.length > 0) return failed();
  const at = (index: number): number => position.get(index) ?? NETWORK_INPUT;
  const layers = order.map((index, i): SpecLayer => {
    const own = inputs[index]!.map(at);
    const share = shares[index];
    const isChained = own.length === 1 && own[0] === i - 1;
    return {
      ...named[index]!,
      ...(!isChained && { inputs: own }),
      ...(share && { share: { ...share, layer: at(share.layer) } }),
    };
  });
  return { layers, heads: heads.map(at), problems };
}

const definitionOf = ({ type }: NamedLayer): LayerDefinition | undefined =>
  type === customLayerSpec.kind ? undefined : layerTable[type];

/** What the embedding before a layer takes: the data, or one of its named inputs. */
function indexSourceOf(named: readonly NamedLayer[], inputs: readonly (readonly number[])[], layer: number): number {
  const visited = new Set<number>();
  // With a query and a key, the padding is that of the key.
  for (let at = inputs[layer]!.at(1) ?? inputs[layer]!.at(0); at !== undefined && !visited.has(at);) {
    if (at === NETWORK_INPUT) break;
    visited.add(at);
    const [source] = inputs[at]!;
    if (definitionOf(named[at]!)?.indexCount) return source ?? NETWORK_INPUT;
    at = source;
  }
  return NETWORK_INPUT;
}

/** Whether a layer also takes the data, which says where padding is. */
function readsPadding(layer: NamedLayer): boolean {
  return definitionOf(layer)?.paddingIndex?.(layer.options) !== undefined;
}

/**
 * Every layer after those whose outputs it takes, in the order of the spec as far as that goes; without those in
 * cycles.
 */
function topologicalOrder(inputs: readonly (readonly number[])[]): number[] {
  const consumers = inputs.map((): number[] => []);
  const waitingFor = inputs.map((sources) => new Set(sources.filter((source) => source !== NETWORK_INPUT)));
  waitingFor.forEach((sources, layer) => sources.forEach((source) => consumers[source]!.push(layer)));
  const order: number[] = [];
  const remaining = new Set(inputs.keys());
  const findReady = (): number | undefined => {
    for (const layer of remaining) if (waitingFor[layer]!.size === 0) return layer;
    return undefined;
  };
  for (let layer = findReady(); layer !== undefined; layer = findReady()) {
    remaining.delete(layer);
    order.push(layer);
    for (const consumer of consumers[layer]!) waitingFor[consumer]!.delete(layer);
  }
  return order;
}

/** @param order of the layers outside of cycles, and not after one */
function cycleProblem(
  source: Source,
  named: readonly NamedLayer[],
  inputs: readonly (readonly number[])[],
  order: readonly number[],
): Problem {
  const placed = new Set([NETWORK_INPUT, ...order]);
  const isStuck = (layer: number): boolean => !placed.has(layer);
  // Every stuck layer takes the output of another one: going back comes around in the end.
  const path = [named.findIndex((_, i) => isStuck(i))];
  for (;;) {
    const before = inputs[path[path.length - 1]!]!.find(isStuck)!;
    const start = path.indexOf(before);
    path.push(before);
    if (start < 0) continue;
    const cycle = path.slice(start).reverse();
    const [first, next] = cycle as [number, number];
    const edge = inputs[next]!.indexOf(first);
    return createProblem(
      'cycle',
      source.locate([...named[next]!.path, 'inputs', edge]),
      `These layers form a cycle: ${cycle.map((layer) => named[layer]!.name).join(' → ')}.`,
      'Remove one of these connections: a layer can take only outputs that do not depend on its own.',
    );
  }
}
