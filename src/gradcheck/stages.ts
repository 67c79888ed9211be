// What every layer gave when nothing was moved, laid out so that one column of it can be moved: all in the kernels' memory.
import { MemoryPlan, type Tensor } from '../engine/kernels/tensor';
import type { LayerDefinition, Reach } from '../engine/layers/layer';
import type { Parameter, Pass } from '../engine/network';

export interface Stage {
  readonly definition: LayerDefinition;
  readonly options: unknown;
  readonly reach: Reach | undefined;
  /** Numbers of one sample's output. */
  readonly features: number;
  readonly parameters: readonly Parameter[];
  /** The output as it was, sample after sample. */
  readonly rows: Tensor;
  /** The same, feature after feature: [features, batch]. */
  readonly columns: Tensor;
  /** Of a weighted sum: its weights by input, [inputs, features]. */
  readonly weights: Tensor | null;
}

export interface Stages {
  readonly layers: readonly Stage[];
  /** The batch, feature after feature: [features, batch]. */
  readonly input: Tensor;
}

/** @param pass evaluated, nothing moved; the numbers of its parameters and batch are copied. */
export function stagesOf({ network, batch, input, outputs }: Pass): Stages {
  const { kernels, model } = network;
  const layers = model.layers.map(({ definition, options }, layer) => {
    const features = outputs[layer].data.length / batch;
    const inputs = (outputs[layer - 1] ?? input).data.length / batch;
    const parameters = network.parameters.filter((parameter) => parameter.layer === layer);
    const reach = fits(definition.reach, inputs, features, parameters) ? definition.reach : undefined;
    const weight = reach === 'weighted_sum' ? parameters.find(({ shortName }) => shortName === 'weight') : undefined;
    return { definition, options, reach, features, inputs, parameters, weight };
  });
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve([input.data.length / batch, batch]);
  for (const [layer, { features, inputs, weight }] of layers.entries()) {
    plan.reserve(outputs[layer].shape);
    plan.reserve([features, batch]);
    if (weight) plan.reserve([inputs, features]);
  }
  const tensors = kernels.allocate(plan)[Symbol.iterator]();
  const next = (): Tensor => tensors.next().value as Tensor;
  const ofInput = next();
  transpose(ofInput, input.data);
  return {
    input: ofInput,
    layers: layers.map(({ weight, ...layer }, i) => {
      const [rows, columns, weights] = [next(), next(), weight ? next() : null];
      rows.data.set(outputs[i].data);
      transpose(columns, outputs[i].data);
      if (weights && weight) transpose(weights, weight.value.data);
      return { ...layer, rows, columns, weights };
    }),
  };
}

/** Whether a column goes through such a layer by itself. */
export const carries = (reach: Reach | undefined): boolean => reach === 'elementwise' || reach === 'columnwise';

/** Whether shapes are what the declaration says they are. */
export function fits(reach: Reach | undefined, inputs: number, features: number, parameters: readonly Parameter[]): boolean {
  if (carries(reach)) return inputs === features && parameters.every(({ value }) => reach === 'columnwise' && value.data.length === features);
  return parameters.every(({ shortName, value: { shape, data } }) => {
    if (shortName === 'weight') return shape[0] === features && data.length === features * inputs;
    return shortName === 'bias' && data.length === features;
  });
}

/** [m, n] into [n, m]. */
function transpose({ shape: [n, m], data: out }: Tensor, data: Tensor['data']): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = data[i * n + j];
}
