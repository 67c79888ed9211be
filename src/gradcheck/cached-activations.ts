// The unperturbed output of every layer, in kernel memory and in layouts in which a single column can be perturbed.
import { MemoryPlan, type Shape2, type Tensor } from '../engine/kernels/tensor';
import type { LayerDefinition, JacobianStructure } from '../engine/layers/layer';
import { type Parameter, parametersUsedBy } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { consumersOf, hasAuxiliaryLoss, inputsOf } from '../engine/network-graph';

export interface LayerActivations {
  readonly definition: LayerDefinition;
  readonly options: unknown;
  readonly reach: JacobianStructure | undefined;
  /** The layer whose output is its first input, or NETWORK_INPUT. */
  readonly source: number;
  /** The layer after it; null where a loss or several layers take its output, or that layer has several inputs. */
  readonly successor: number | null;
  /** Outputs per sample. */
  readonly features: number;
  readonly parameters: readonly Parameter[];
  /** The unperturbed output, sample by sample. */
  readonly output: Tensor;
  /** The same, transposed: [features, batch]. */
  readonly transposedOutput: Tensor;
  /** The same of its first input. */
  readonly transposedInput: Tensor;
  /** For a weighted sum: its weights, transposed: [inputs, features]. */
  readonly transposedWeight: Tensor | null;
}

/** The activations by layer. @param pass evaluated without perturbation; parameters and batch are copied */
export function cacheActivations(pass: Pass): readonly LayerActivations[] {
  const { network, batchSize, input, outputs } = pass;
  const { kernels, model } = network;
  const layers = model.layers.map(({ definition, options }, layer) => {
    const features = outputs[layer]!.data.length / batchSize;
    const inputs = pass.layerInput(layer).data.length / batchSize;
    const parameters = parametersUsedBy(network, layer);
    const [source, ...others] = inputsOf(model, layer);
    const isDeclared =
      others.length === 0 && structureMatchesShapes(definition.jacobianStructure, inputs, features, parameters);
    const reach = isDeclared ? definition.jacobianStructure : undefined;
    const weight = reach === 'weighted_sum' ? parameters.find(({ shortName }) => shortName === 'weight') : undefined;
    const [consumer, ...otherConsumers] = consumersOf(model, layer);
    const isSequential =
      consumer !== undefined &&
      otherConsumers.length === 0 &&
      inputsOf(model, consumer.layer).length === 1 &&
      !hasAuxiliaryLoss(model, layer);
    const successor = isSequential ? consumer.layer : null;
    return { definition, options, reach, source: source!, successor, features, inputs, parameters, weight };
  });
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve([input.data.length / batchSize, batchSize]);
  for (const [layer, { features, inputs, weight }] of layers.entries()) {
    plan.reserve(outputs[layer]!.shape);
    plan.reserve([features, batchSize]);
    if (weight) plan.reserve([inputs, features]);
  }
  const tensors = kernels.allocate(plan)[Symbol.iterator]();
  const next = (): Tensor => tensors.next().value as Tensor;
  const transposedInput = next();
  transpose(transposedInput, input.data);
  const cached: LayerActivations[] = [];
  layers.forEach(({ weight, ...layer }, i) => {
    const [output, transposedOutput, transposedWeight] = [next(), next(), weight ? next() : null];
    output.data.set(outputs[i]!.data);
    transpose(transposedOutput, outputs[i]!.data);
    if (transposedWeight && weight) transpose(transposedWeight, weight.value.data);
    const before = cached[layer.source]?.transposedOutput ?? transposedInput;
    cached.push({ ...layer, output, transposedOutput, transposedInput: before, transposedWeight });
  });
  return cached;
}

/** Whether the layer maps each column on its own. */
export const actsPerFeature = (reach: JacobianStructure | undefined): boolean =>
  reach === 'elementwise' || reach === 'columnwise';

/** Whether the shapes match the declared structure. */
export function structureMatchesShapes(
  reach: JacobianStructure | undefined,
  inputs: number,
  features: number,
  parameters: readonly Parameter[],
): boolean {
  if (actsPerFeature(reach))
    return (
      inputs === features && parameters.every(({ value }) => reach === 'columnwise' && value.data.length === features)
    );
  return parameters.every(({ shortName, value: { shape, data } }) => {
    if (shortName === 'weight') return shape[0] === features && data.length === features * inputs;
    return shortName === 'bias' && data.length === features;
  });
}

/** Transposes [m, n] to [n, m]. @param out with the shape of the result */
export function transpose({ shape, data: out }: Tensor, data: Tensor['data']): void {
  const [n, m] = shape as Shape2;
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = data[i * n + j]!;
}
