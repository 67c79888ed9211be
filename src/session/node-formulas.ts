// The formula of each tensor of a step, in the names of the spec.
import type { NodeFormula, NodeId } from '../protocol/queries';
import { inputNames, type FormulaContext, type LayerFormulas, type LossFormulas } from '../engine/formulas/definition';
import type { Equation } from '../engine/formulas/ast';
import { parseFormula } from '../engine/formulas/parse';
import { haveSameTarget, type Naming, printFormula } from '../engine/formulas/print';
import { consumersOf, inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { type AuxiliaryLoss, type LayerModel, type NetworkTensors, parametersUsedBy } from '../engine/network-model';
import { isPenalized as isPenalizedBy } from '../engine/penalty';

type Network = Pick<NetworkTensors, 'model' | 'parameters'>;

const contextOf = ({ options, inputShape, otherInputShapes = [] }: LayerModel): FormulaContext<unknown> => ({
  options,
  inputs: inputNames(1 + otherInputShapes.length),
  shapes: [inputShape, ...otherInputShapes],
});

/** Null for a custom layer that states none and has not run. */
export const formulasOfLayer = (layer: LayerModel): LayerFormulas | null =>
  layer.definition.formulas?.(contextOf(layer)) ?? null;

export function formulasOfLoss({ loss, layers, inputShape }: Network['model']): LossFormulas | null {
  const outputs = (layers.at(-1)?.outputShape ?? inputShape).at(-1) ?? 1;
  return loss.definition.formulas?.(loss.options, outputs) ?? null;
}

export function formulasOfAuxiliaryLoss(
  { definition, options, layer }: AuxiliaryLoss,
  { layers }: Network['model'],
): LossFormulas | null {
  return definition.formulas?.(options, layers[layer]!.outputShape.at(-1) ?? 1) ?? null;
}

/** `0.3 head_loss`. */
const weightedName = ({ name, weight }: AuxiliaryLoss): string => (weight === 1 ? name : `${weight} ${name}`);

/** The equation with its right side times a number. */
function timesWeight(equation: Equation | undefined, weight: number): Equation | undefined {
  if (!equation || weight === 1) return equation;
  const { value } = equation;
  const factor = { type: 'number', value: weight } as const;
  return { ...equation, value: { type: 'binary', operator: '*', left: factor, right: value } };
}

/** The equation of a tensor, or of its gradient; undefined if there is none. */
export const equationFor = (
  formulas: { readonly equations: readonly string[] } | null,
  name: string,
  isGradient: boolean,
): Equation | undefined =>
  formulas?.equations.map(parseFormula).find(({ target }) => target.name === name && target.isGradient === isGradient);

/** The names of the step's tensors: those of the spec, and the usual letters for what has none there. */
export class NodeNames {
  readonly input: string;
  readonly target: string;
  readonly loss: string;
  readonly #parameters: ReadonlyMap<string, string>;

  constructor(readonly network: Network) {
    const { model, parameters } = network;
    const short = parameters.map(({ shortName }) => shortName);
    const unique = (name: string): boolean => short.indexOf(name) === short.lastIndexOf(name);
    const taken = new Set([...model.layers.map(({ name }) => name), ...short.filter(unique)]);
    const free = (name: string, other: string): string => (taken.has(name) ? other : name);
    this.input = free('x', 'input');
    this.target = free('y', 'target');
    this.loss = free('l', 'loss');
    const layers = new Set(model.layers.map(({ name }) => name));
    this.#parameters = new Map(
      parameters.map(({ name, shortName }) => [
        name,
        unique(shortName) && !layers.has(shortName) && !['x', 'y', 'l', 'N', 'K'].includes(shortName)
          ? shortName
          : name,
      ]),
    );
  }

  layer(index: number): string {
    return index === NETWORK_INPUT ? this.input : this.network.model.layers[index]!.name;
  }

  parameter(name: string): string {
    return this.#parameters.get(name) ?? name;
  }

  /** How the formulas of a layer name things. */
  ofLayer(layer: number): Naming {
    const known = new Map<string, string>([
      ...inputsOf(this.network.model, layer).map(
        (source, i) => [i === 0 ? 'x' : `x${i + 1}`, this.layer(source)] as const,
      ),
      ['y', this.layer(layer)],
      ...parametersUsedBy(this.network, layer).map(({ shortName, name }) => [shortName, this.parameter(name)] as const),
    ]);
    return (name) => known.get(name);
  }

  ofLoss(): Naming {
    const known = new Map([
      ['yhat', this.layer(this.network.model.layers.length - 1)],
      ['y', this.target],
      ['l', this.loss],
    ]);
    return (name) => known.get(name);
  }

  ofAuxiliaryLoss({ name: own, layer, target }: AuxiliaryLoss): Naming {
    const known = new Map([
      ['yhat', this.layer(layer)],
      ['y', target === 'inputs' ? this.input : this.target],
      ['l', own],
    ]);
    return (name) => known.get(name);
  }
}

/** Null if the tensor is given, or its layer states no formula. */
export function nodeFormula(network: Network, names: NodeNames, id: NodeId): NodeFormula | null {
  const { model } = network;
  const print = (
    parts: readonly { readonly equation: Equation | undefined; readonly naming: Naming }[],
    symbols?: Readonly<Record<string, string>>,
    addition?: string,
  ): NodeFormula | null => {
    const known = parts.flatMap(({ equation, naming }) => (equation ? [{ equation, naming }] : []));
    const [first] = known;
    if (!first || known.length < parts.length) return null;
    const printed = known.every(({ equation }) => haveSameTarget(equation, first.equation))
      ? printFormula(known, addition)
      : joined(known.map((each) => printFormula([each])));
    return { ...printed, ...(symbols && { symbols }) };
  };
  const ofLayer = (layer: number, name: string, isGradient: boolean): NodeFormula | null => {
    const formulas = formulasOfLayer(model.layers[layer]!);
    return print(
      [{ equation: equationFor(formulas, name, isGradient), naming: names.ofLayer(layer) }],
      formulas?.symbols,
    );
  };
  const { auxiliaryLosses = [] } = model;
  /** The terms of auxiliary losses in a gradient. */
  const auxiliaryParts = (losses: readonly AuxiliaryLoss[], name: string) =>
    losses.map((loss) => ({
      equation: timesWeight(equationFor(formulasOfAuxiliaryLoss(loss, model), name, true), loss.weight),
      naming: names.ofAuxiliaryLoss(loss),
    }));
  const ofLoss = (
    name: string,
    isGradient: boolean,
    { addition, others = [] }: { addition?: string; others?: ReturnType<typeof auxiliaryParts> } = {},
  ): NodeFormula | null => {
    const formulas = formulasOfLoss(model);
    const part = { equation: equationFor(formulas, name, isGradient), naming: names.ofLoss() };
    return print([part, ...others], formulas?.symbols, addition);
  };
  /** The sum over all layers that take a tensor. */
  const ofConsumers = (source: number): NodeFormula | null => {
    const consumers = consumersOf(model, source);
    const others = auxiliaryParts(
      auxiliaryLosses.filter(({ layer }) => layer === source),
      'yhat',
    );
    if (consumers.length === 0)
      return source === model.layers.length - 1 ? ofLoss('yhat', true, { others }) : print(others);
    return print(
      [
        ...consumers.map(({ layer, position }) => ({
          equation: equationFor(formulasOfLayer(model.layers[layer]!), position === 0 ? 'x' : `x${position + 1}`, true),
          naming: names.ofLayer(layer),
        })),
        ...others,
      ],
      consumers.length === 1 ? formulasOfLayer(model.layers[consumers[0]!.layer]!)?.symbols : undefined,
    );
  };
  switch (id.of) {
    case 'output':
      return ofLayer(id.layer, 'y', false);
    case 'loss':
      return ofLoss(
        'l',
        false,
        joinAdditions([...auxiliaryLosses.map(weightedName), ...(model.penalty ? ['penalty'] : [])]),
      );
    case 'loss_gradient':
      return { text: `∂l/∂${names.loss} = 1`, latex: String.raw`\frac{\partial l}{\partial l} = 1` };
    case 'output_gradient':
      return ofConsumers(id.layer);
    case 'input_gradient':
      return ofConsumers(NETWORK_INPUT);
    case 'target_gradient':
      return ofLoss('y', true, {
        others: auxiliaryParts(
          auxiliaryLosses.filter(({ target }) => target === 'targets'),
          'y',
        ),
      });
    case 'parameter_gradient': {
      const parameter = parametersUsedBy(network, id.layer).find(({ shortName }) => shortName === id.parameter);
      if (!parameter) return null;
      const users = parameter.users.map((layer) => ({
        equation: equationFor(formulasOfLayer(model.layers[layer]!), id.parameter, true),
        naming: names.ofLayer(layer),
      }));
      const { penalty } = model;
      const isPenalized = penalty && (penalty.custom !== undefined || isPenalizedBy(penalty, parameter));
      return print(
        users,
        formulasOfLayer(model.layers[id.layer]!)?.symbols,
        isPenalized ? 'gradient of the penalty' : undefined,
      );
    }
    case 'input':
    case 'target':
    case 'parameter':
    case 'update':
    case 'updated':
      return null;
  }
}

const joinAdditions = (all: readonly string[]): { addition?: string } =>
  all.length > 0 ? { addition: all.join(' + ') } : {};

/** Right sides whose indices differ are not added in one line. */
const joined = (all: readonly { readonly text: string; readonly latex: string }[]) => ({
  text: all.map(({ text }, i) => (i === 0 ? text : `plus ${text}`)).join(', '),
  latex: all.map(({ latex }) => latex).join(String.raw` \quad \text{plus} \quad `),
});

const caches = new WeakMap<
  Network['model'],
  { readonly names: NodeNames; readonly formulas: Map<string, NodeFormula> }
>();

/** The same, computed once for each network. */
export function cachedNodeFormula(network: Network, id: NodeId): NodeFormula | null {
  let cache = caches.get(network.model);
  if (!cache) caches.set(network.model, (cache = { names: new NodeNames(network), formulas: new Map() }));
  const key = JSON.stringify(id);
  const known = cache.formulas.get(key);
  if (known) return known;
  const formula = nodeFormula(network, cache.names, id);
  if (formula) cache.formulas.set(key, formula);
  return formula;
}

export const cachedNodeNames = (network: Network): NodeNames =>
  caches.get(network.model)?.names ?? new NodeNames(network);
