// Layers, losses and networks from the engine's tables, with options as in a spec.
import { layers, type LayerKind } from '../../src/engine/layers';
import type { BackwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossContext, LossDefinition } from '../../src/engine/losses/loss';
import type { Kernels } from '../../src/engine/kernels/kernels';
import { type Shape, numel, type Tensor } from '../../src/engine/kernels/tensor';
import { Network } from '../../src/engine/network';
import { internalShape, type LayerModel, type NetworkModel, type NetworkSize } from '../../src/engine/network-model';
import type { Pass } from '../../src/engine/pass';
import { optimizers, type OptimizerKind } from '../../src/engine/optimizers';
import type { OptimizerDefinition } from '../../src/engine/optimizers/optimizer';
import { runToCompletion } from '../../src/engine/cooperative-task';
import { Random } from '../../src/engine/random';
import { type GradientClipping, updateParameters } from '../../src/engine/update-parameters';
import type { GoldenLayer, GoldenLoss, GoldenStack } from './golden';
import { flat, type Nested, shapeOf } from './nested-lists';
import { tensorOf, nanTensor, zeros } from './tensors';

export const layerOf = (kind: LayerKind): LayerDefinition => layers[kind] as LayerDefinition;
export const lossOf = (kind: LossKind): LossDefinition => losses[kind] as LossDefinition;
export const optimizerOf = (kind: OptimizerKind): OptimizerDefinition => optimizers[kind] as OptimizerDefinition;

/** Random samples for a layer that is fitted to data. */
function trainingSamples(shape: Shape, samples: number) {
  const random = new Random(4, 'samples');
  return {
    inputs: Float64Array.from({ length: samples * numel(shape) }, () => random.uniform(-2, 2)),
    trainIndices: Uint32Array.from({ length: samples }, (_, i) => i),
  };
}

/** A layer's workspace, its initial buffers and its internals for a batch. */
export function layerTensors(
  kernels: Kernels,
  { workspace, buffers, fit, internals }: LayerDefinition,
  input: Shape,
  options: unknown,
  batch: number,
  otherInputs: readonly Shape[] = [],
) {
  const fitted =
    fit &&
    runToCompletion(
      fit.buffers({
        options,
        ...trainingSamples(input, fit.requiredSamples(options)[0]),
        shape: input,
        random: new Random(3, 'fit'),
      }),
    );
  const ofBatch = (): Record<string, Tensor> =>
    Object.fromEntries(
      (internals?.(input, options, otherInputs) ?? []).map((declared) => [
        declared.name,
        nanTensor(kernels, internalShape(declared, batch)),
      ]),
    );
  return {
    internals: ofBatch(),
    gradInternals: ofBatch(),
    workspace: (workspace?.(input, options) ?? []).map((shape) => nanTensor(kernels, shape)),
    buffers: Object.fromEntries(
      (buffers?.(input, options) ?? []).map(({ name, shape, fill, values = fitted?.[name] }): [string, Tensor] => {
        const buffer = nanTensor(kernels, shape);
        if (values) buffer.data.set(values);
        else buffer.data.fill(fill);
        return [name, buffer];
      }),
    ),
  };
}

/** A layer with the tensors of a golden case. Outputs are initially NaN, gradients 0. */
export function layerContext(kernels: Kernels, golden: GoldenLayer): BackwardContext<unknown> {
  const definition = layerOf(golden.kind);
  const options = definition.options.parse(golden.options);
  const [batch, ...inputShape] = shapeOf(golden.input);
  const otherInputs = (golden.otherInputs ?? []).map((nested) => tensorOf(kernels, nested));
  const otherInputShapes = otherInputs.map(({ shape }) => shape.slice(1));
  const tensors = (values: (nested: Nested) => ReturnType<typeof tensorOf>) =>
    Object.fromEntries(Object.entries(golden.parameters).map(([name, nested]) => [name, values(nested)]));
  const parts = layerTensors(kernels, definition, inputShape, options, batch, otherInputShapes);
  for (const [name, values] of Object.entries(golden.buffers ?? {})) parts.buffers[name].data.set(flat(values));
  return {
    kernels,
    options,
    ...parts,
    parameters: tensors((nested) => tensorOf(kernels, nested)),
    input: tensorOf(kernels, golden.input),
    otherInputs,
    output: nanTensor(kernels, [batch, ...definition.outputShape(inputShape, options, otherInputShapes)]),
    mask: golden.drawn ? tensorOf(kernels, golden.drawn) : null,
    training: golden.training ?? true,
    gradOutput: tensorOf(kernels, golden.gradOutput),
    gradInput: nanTensor(kernels, [batch, ...inputShape]),
    gradOtherInputs: otherInputs.map(({ shape }) => nanTensor(kernels, shape)),
    gradParameters: tensors((nested) => zeros(kernels, shapeOf(nested))),
  };
}

/** A loss with the tensors of a golden case. */
export function lossContext(
  kernels: Kernels,
  golden: Omit<GoldenLoss, 'value' | 'gradPrediction'>,
): LossContext<unknown> {
  return {
    kernels,
    options: lossOf(golden.kind).options.parse(golden.options),
    prediction: tensorOf(kernels, golden.prediction),
    target: tensorOf(kernels, golden.target),
  };
}

/** A layer of a network as it is appended to those before it, which it takes its shapes from. */
export function appendLayer(
  models: LayerModel[],
  inputShape: Shape,
  {
    inputs,
    ...layer
  }: Pick<LayerModel, 'name' | 'definition' | 'options' | 'freeze' | 'sharedParameters'> & {
    /** Indexes of the layers that it takes, -1 for the network's input; by default the layer before it. */
    readonly inputs?: readonly number[] | undefined;
  },
): void {
  const [first, ...otherInputShapes] = (inputs ?? [models.length - 1]).map((source) =>
    source < 0 ? inputShape : models[source].outputShape,
  );
  models.push({
    ...layer,
    inputShape: first,
    outputShape: layer.definition.outputShape(first, layer.options, otherInputShapes),
    ...(inputs && { inputs, otherInputShapes }),
  });
}

/** The model of a stack with explicit parameters and shapes inferred from the input. */
export function createModel(stack: GoldenStack, inputShape: Shape): NetworkModel {
  const models: LayerModel[] = [];
  stack.layers.forEach(({ type, freeze = [], ...options }, index) => {
    const definition = layerOf(type);
    // Some layers take their initial parameters as options; the others get them in `createNetwork`.
    const explicit = definition.options.safeParse({ ...options, ...stack.parameters[index] });
    const parsed = explicit.success ? explicit.data : definition.options.parse(options);
    appendLayer(models, inputShape, {
      name: `${type}${index}`,
      definition,
      options: parsed,
      freeze,
      inputs: stack.sources?.[index],
      ...(stack.shared && { sharedParameters: stack.shared[index] }),
    });
  });
  const loss = lossOf(stack.lossKind);
  return {
    inputShape,
    layers: models,
    loss: { definition: loss, options: loss.options.parse(stack.lossOptions) },
    ...(stack.auxiliary && {
      auxiliaryLosses: stack.auxiliary.map(({ kind, options, ...rest }, i) => ({
        ...rest,
        name: `loss${i}`,
        definition: lossOf(kind),
        options: lossOf(kind).options.parse(options),
      })),
    }),
    ...(stack.penalty && { penalty: { l1: 0, l2: 0, biases: false, ...stack.penalty } }),
  };
}

/** A network of a stack with its explicit parameters. */
export function createNetwork(
  kernels: Kernels,
  stack: GoldenStack,
  inputShape: Shape,
  size: Partial<NetworkSize> = {},
): Network {
  const network = new Network(createModel(stack, inputShape), kernels, {
    batchSize: 1,
    evaluationBatchSize: 0,
    optimizerStateTensors: 0,
    ...size,
  });
  network.initialize(0);
  for (const { layer, shortName, value } of network.parameters) {
    const explicit = stack.parameters[layer][shortName];
    if (explicit !== undefined) value.data.set(flat(explicit));
  }
  return network;
}

/** A pass with this batch. */
export function loadedPass(network: Network, input: Nested, target: Nested): Pass {
  const [batch] = shapeOf(input);
  const pass = network.trainingPass(batch);
  const rows = Uint32Array.from({ length: batch }, (_, row) => row);
  pass.loadBatch(Float64Array.from(flat(input)), Float64Array.from(flat(target)), rows, 0);
  return pass;
}

/** A whole iteration up to the update; returns the loss. */
export function forwardAndBackward(network: Network, pass: Pass): number {
  network.zeroGradients();
  for (let layer = 0; layer < network.model.layers.length; layer++) pass.forwardAndUpdateBuffers(layer);
  const loss = pass.loss();
  pass.lossBackward();
  for (let layer = network.model.layers.length - 1; layer >= 0; layer--) pass.backward(layer, true);
  return loss;
}

/** Updates every parameter that is not frozen. @param step counted from 1 */
export function update(
  network: Network,
  definition: OptimizerDefinition,
  options: { readonly lr: number },
  step: number,
  { lr = options.lr, clip = {} }: { lr?: number; clip?: GradientClipping | undefined } = {},
): void {
  updateParameters(network, { definition, options, clip }, lr, step);
}
