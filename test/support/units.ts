// Layers, losses and networks made from the engine's own tables, with options as a spec writes them.
import { layers, type LayerKind } from '../../src/engine/layers';
import type { BackwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossContext, LossDefinition } from '../../src/engine/losses/loss';
import type { Kernels } from '../../src/engine/kernels/kernels';
import { type Shape, sizeOf, type Tensor } from '../../src/engine/kernels/tensor';
import { type LayerModel, Network, type NetworkModel, type NetworkSize, type Pass } from '../../src/engine/network';
import { optimizers, type OptimizerKind } from '../../src/engine/optimizers';
import type { OptimizerDefinition } from '../../src/engine/optimizers/optimizer';
import { finish } from '../../src/engine/pieces';
import { Random } from '../../src/engine/random';
import { type Clip, updateParameters } from '../../src/engine/update';
import type { GoldenLayer, GoldenLoss, GoldenStack } from './golden';
import { flat, type Nested, shapeOf } from './nested';
import { tensorOf, unwritten, zeros } from './tensors';

export const layerOf = (kind: LayerKind): LayerDefinition => layers[kind] as LayerDefinition;
export const lossOf = (kind: LossKind): LossDefinition => losses[kind] as LossDefinition;
export const optimizerOf = (kind: OptimizerKind): OptimizerDefinition => optimizers[kind] as OptimizerDefinition;

/** Random samples for a layer that learns of them. */
function trainingPart(shape: Shape, samples: number) {
  const random = new Random(4, 'samples');
  return { inputs: Float64Array.from({ length: samples * sizeOf(shape) }, () => random.uniform(-2, 2)), train: Uint32Array.from({ length: samples }, (_, i) => i) };
}

/** What a layer has beside its parameters: memory to work in, and its buffers as they are at the start. */
export function contextParts(kernels: Kernels, { workspace, buffers, fit }: LayerDefinition, input: Shape, options: unknown) {
  const fitted = fit && finish(fit.buffers({ options, ...trainingPart(input, fit.samples(options)[0]), shape: input, random: new Random(3, 'fit') }));
  return {
    workspace: (workspace?.(input, options) ?? []).map((shape) => unwritten(kernels, shape)),
    buffers: Object.fromEntries(
      (buffers?.(input, options) ?? []).map(({ name, shape, fill }): [string, Tensor] => {
        const buffer = unwritten(kernels, shape);
        if (fitted?.[name]) buffer.data.set(fitted[name]);
        else buffer.data.fill(fill);
        return [name, buffer];
      }),
    ),
  };
}

/** A layer with the tensors of one golden case; what it must write is NaN before, gradients are cleared. */
export function layerContext(kernels: Kernels, golden: GoldenLayer): BackwardContext<unknown> {
  const definition = layerOf(golden.kind);
  const options = definition.options.parse(golden.options);
  const [batch, ...inputShape] = shapeOf(golden.input);
  const tensors = (values: (nested: Nested) => ReturnType<typeof tensorOf>) =>
    Object.fromEntries(Object.entries(golden.parameters).map(([name, nested]) => [name, values(nested)]));
  const parts = contextParts(kernels, definition, inputShape, options);
  for (const [name, values] of Object.entries(golden.buffers ?? {})) parts.buffers[name].data.set(flat(values));
  return {
    kernels,
    options,
    ...parts,
    parameters: tensors((nested) => tensorOf(kernels, nested)),
    input: tensorOf(kernels, golden.input),
    output: unwritten(kernels, [batch, ...definition.outputShape(inputShape, options)]),
    drawn: golden.drawn ? tensorOf(kernels, golden.drawn) : null,
    training: golden.training ?? true,
    gradOutput: tensorOf(kernels, golden.gradOutput),
    gradInput: unwritten(kernels, [batch, ...inputShape]),
    gradParameters: tensors((nested) => zeros(kernels, shapeOf(nested))),
  };
}

/** A loss with the tensors of one golden case. */
export function lossContext(kernels: Kernels, golden: Omit<GoldenLoss, 'value' | 'gradPrediction'>): LossContext<unknown> {
  return {
    kernels,
    options: lossOf(golden.kind).options.parse(golden.options),
    prediction: tensorOf(kernels, golden.prediction),
    target: tensorOf(kernels, golden.target),
  };
}

/** The model of a stack with explicit parameters, shapes inferred from the input. */
export function modelOf(stack: GoldenStack, inputShape: Shape): NetworkModel {
  let shape = inputShape;
  const models = stack.layers.map(({ type, freeze = [], ...options }, index): LayerModel => {
    const definition = layerOf(type);
    const parsed = definition.options.parse({ ...options, ...stack.parameters[index] });
    const model: LayerModel = {
      name: `${type}${index}`,
      definition,
      options: parsed,
      inputShape: shape,
      outputShape: definition.outputShape(shape, parsed),
      freeze,
    };
    shape = model.outputShape;
    return model;
  });
  const loss = lossOf(stack.lossKind);
  return {
    inputShape, layers: models, loss: { definition: loss, options: loss.options.parse(stack.lossOptions) },
    ...(stack.penalty && { penalty: { l1: 0, l2: 0, biases: false, ...stack.penalty } }),
  };
}

/** A network of a stack, at its explicit parameters. */
export function networkOf(kernels: Kernels, stack: GoldenStack, inputShape: Shape, size: Partial<NetworkSize> = {}): Network {
  const network = new Network(modelOf(stack, inputShape), kernels, {
    batch: 1, evaluationBatch: 0, optimizerTensors: 0, ...size,
  });
  network.initialize(0);
  return network;
}

/** A pass with this batch in it. */
export function passWith(network: Network, input: Nested, target: Nested): Pass {
  const [batch] = shapeOf(input);
  const pass = network.pass(batch);
  const rows = Uint32Array.from({ length: batch }, (_, row) => row);
  pass.load(Float64Array.from(flat(input)), Float64Array.from(flat(target)), rows, 0);
  return pass;
}

/** One whole iteration up to the update; returns the loss. */
export function forwardAndBackward(network: Network, pass: Pass): number {
  network.zeroGradients();
  for (let layer = 0; layer < network.model.layers.length; layer++) pass.forwardAndTrack(layer);
  const loss = pass.loss();
  pass.lossBackward();
  for (let layer = network.model.layers.length - 1; layer >= 0; layer--) pass.backward(layer, true);
  return loss;
}

/** Updates every parameter that is not frozen, as the optimizer says. @param step counted from 1 */
export function update(
  network: Network, definition: OptimizerDefinition, options: { readonly lr: number }, step: number,
  { lr = options.lr, clip = {} }: { lr?: number; clip?: Clip } = {},
): void {
  updateParameters(network, { definition, options, clip }, lr, step);
}
