// What goes wrong where gradients join: at an output that several layers or losses take, and at a parameter that they
// share. Each fault is a backward pass of the whole network with one contribution treated wrongly.
import { createLayerContext } from '../../engine/isolated-layer';
import { consumersOf, hasAuxiliaryLoss, type InputEdge, inputsOf, NETWORK_INPUT } from '../../engine/network-graph';
import { parametersUsedBy } from '../../engine/network-model';
import type { Pass } from '../../engine/pass';
import type { BackwardContext } from '../../engine/layers/layer';
import { isolatedDefinitionOf } from '../guard-custom-layer';
import { EXPLAINED_RESIDUAL, fit } from './fit';
import { type Explanation, makeExplanation } from './explanation';
import { penaltyGradientOf } from './hypotheses/penalty';

/** More faults than this are not tried: each costs a backward pass. */
const MAX_FAULTS = 256;

/** How often a contribution counts: of a layer to the gradient of one of its inputs, or of a parameter that it uses. */
interface Contributions {
  ofInput(edge: InputEdge): number;
  /** Of a loss to the gradient of the output that it takes, as counted in `Pass.losses`. */
  ofLoss(index: number): number;
  ofParameter(layer: number, parameter: string): number;
}

interface BranchFault extends Contributions {
  readonly explanation: Explanation;
}

const once = { ofInput: () => 1, ofLoss: () => 1, ofParameter: () => 1 };

/** What is known of one parameter, in the network's order. */
interface GradientPair {
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
}

/**
 * The fault that turns the right gradients into those of backprop; null if there is none. Cooperative.
 * @param pass evaluated; every layer's backward pass is right in isolation
 */
export function* findBranchFault(
  pass: Pass,
  results: readonly GradientPair[],
): Generator<undefined, Explanation | null> {
  const faults = [...branchFaults(pass)].slice(0, MAX_FAULTS);
  if (faults.length === 0) return null;
  const backward = new IsolatedBackward(pass);
  const concatenate = (arrays: readonly Float64Array[]): Float64Array =>
    Float64Array.from(arrays.flatMap((a) => [...a]));
  const analytic = concatenate(results.map((each) => each.analytic));
  const numeric = concatenate(results.map((each) => each.numeric));
  for (const fault of faults) {
    yield;
    const { residual } = fit(analytic, numeric, concatenate(backward.gradients(fault)), null, 1);
    if (residual < EXPLAINED_RESIDUAL) return { ...fault.explanation, residual };
  }
  return null;
}

/** The likeliest first. */
function* branchFaults({ network, losses }: Pass): Generator<BranchFault> {
  const { model, parameters } = network;
  const nameOf = (layer: number): string => model.layers[layer]!.name;
  const joints = [...model.layers.keys()]
    .map((source) => ({ source, consumers: consumersOf(model, source) }))
    .filter(({ source, consumers }) => consumers.length + Number(hasAuxiliaryLoss(model, source)) > 1);
  const isSame = (a: InputEdge, b: InputEdge): boolean => a.layer === b.layer && a.position === b.position;
  for (const { source, consumers } of joints) {
    const isOf = (edge: InputEdge): boolean => consumers.some((each) => isSame(each, edge));
    // The first layer that takes the output comes last in the backward pass.
    const last = consumers[0]!;
    yield {
      ...once,
      ofInput: (edge) => (isOf(edge) && !isSame(edge, last) ? 0 : 1),
      ofLoss: (index) => (losses[index]!.layer === source ? 0 : 1),
      explanation: makeExplanation(
        'overwritten',
        `comes from ${nameOf(last.layer)} alone, where the output of ${nameOf(source)} goes to several layers or losses: their gradients are overwritten instead of added`,
      ),
    };
    for (const left of consumers)
      yield {
        ...once,
        ofInput: (edge) => (isSame(edge, left) ? 0 : 1),
        explanation: makeExplanation(
          'contribution_missing',
          `lacks the part that comes through ${nameOf(left.layer)} to the output of ${nameOf(source)}: the gradient of that branch is forgotten`,
        ),
      };
    for (const double of consumers)
      yield {
        ...once,
        ofInput: (edge) => (isSame(edge, double) ? 2 : 1),
        explanation: makeExplanation(
          'contribution_twice',
          `contains the part that comes through ${nameOf(double.layer)} to the output of ${nameOf(source)} twice: the gradient of that branch is added twice`,
        ),
      };
  }
  for (const [index, { name, layer, weight }] of (model.auxiliaryLosses ?? []).entries()) {
    const withFactor = (factor: number): Contributions => ({
      ...once,
      ofLoss: (other) => (other === index + 1 ? factor : 1),
    });
    const isShared = losses.some((other, i) => i <= index && other.layer === layer);
    if (isShared)
      yield {
        ...once,
        ofLoss: (other) => (other <= index && losses[other]!.layer === layer ? 0 : 1),
        explanation: makeExplanation(
          'overwritten',
          `lacks other losses of ${nameOf(layer)}: the gradient of ${name} overwrites theirs instead of being added`,
        ),
      };
    const part = `the part of ${name} at the output of ${nameOf(layer)}`;
    yield {
      ...withFactor(0),
      explanation: makeExplanation('contribution_missing', `lacks ${part}: the gradient of that loss is forgotten`),
    };
    yield {
      ...withFactor(2),
      explanation: makeExplanation(
        'contribution_twice',
        `contains ${part} twice: the gradient of that loss is added twice`,
      ),
    };
    if (weight !== 1)
      yield {
        ...withFactor(1 / weight),
        explanation: makeExplanation('scale_missing', `contains ${part} without its "loss_weight", ${weight}`),
      };
  }
  for (const { name, shortName, users } of parameters) {
    if (users.length < 2) continue;
    const isOf = (layer: number, parameter: string): boolean => users.includes(layer) && parameter === shortName;
    for (const user of users)
      yield {
        ...once,
        ofParameter: (layer, parameter) => (isOf(layer, parameter) && layer !== user ? 0 : 1),
        explanation: makeExplanation(
          'one_use',
          `comes from one use of ${name} alone, that in ${nameOf(user)}: the gradients of its ${users.length} uses must be added`,
        ),
      };
  }
}

/** The backward pass of a network, layer by layer in isolation, with contributions counted as often as asked. */
class IsolatedBackward {
  readonly #pass: Pass;
  readonly #contexts: readonly BackwardContext<unknown>[];
  /** Of each loss, with its weight. */
  readonly #lossGradients: readonly { readonly layer: number; readonly values: Float64Array }[];

  constructor(pass: Pass) {
    this.#pass = pass;
    const { network, batchSize, training } = pass;
    pass.evaluate();
    this.#lossGradients = pass.losses.map(({ definition, context, weight, layer }) => {
      const out = pass.outputGradients[layer]!;
      definition.gradient(context, out);
      return { layer, values: Float64Array.from(out.data, (value) => weight * value) };
    });
    this.#contexts = network.model.layers.map((layer, index) => {
      const context = createLayerContext(network.kernels, layer, batchSize, training);
      pass.layerInputs(index).forEach(({ data }, i) => [context.input, ...context.otherInputs][i]!.data.set(data));
      for (const { shortName, value } of parametersUsedBy(network, index))
        context.parameters[shortName]!.data.set(value.data);
      for (const { shortName, value } of network.buffers.filter((buffer) => buffer.layer === index))
        context.buffers[shortName]!.data.set(value.data);
      context.mask?.data.set(pass.masks[index]?.data ?? []);
      isolatedDefinitionOf(layer).forward(context);
      return context;
    });
  }

  /** By parameter, in the network's order. */
  gradients({ ofInput, ofLoss, ofParameter }: Contributions): Float64Array[] {
    const { network } = this.#pass;
    const { model, parameters } = network;
    const gradients = parameters.map(
      (parameter) => penaltyGradientOf(network, parameter) ?? new Float64Array(parameter.value.data.length),
    );
    const outputGradients = this.#contexts.map(({ output }) => new Float64Array(output.data.length));
    const add = (sum: Float64Array, addend: ArrayLike<number>, times: number): void => {
      if (times !== 0) for (let i = 0; i < sum.length; i++) sum[i]! += times * addend[i]!;
    };
    this.#lossGradients.forEach(({ layer, values }, i) => add(outputGradients[layer]!, values, ofLoss(i)));
    for (let layer = model.layers.length - 1; layer >= 0; layer--) {
      const context = this.#contexts[layer]!;
      context.gradOutput.data.set(outputGradients[layer]!);
      for (const { data } of Object.values(context.gradParameters)) data.fill(0);
      isolatedDefinitionOf(model.layers[layer]!).backward(context);
      inputsOf(model, layer).forEach((source, position) => {
        const gradient = [context.gradInput, ...context.gradOtherInputs][position];
        if (source !== NETWORK_INPUT && gradient)
          add(outputGradients[source]!, gradient.data, ofInput({ layer, position }));
      });
      for (const parameter of parametersUsedBy(network, layer))
        add(
          gradients[parameters.indexOf(parameter)]!,
          context.gradParameters[parameter.shortName]!.data,
          ofParameter(layer, parameter.shortName),
        );
    }
    return gradients;
  }
}
