// The Jacobian of one layer for one sample, in float64, from one backward pass per output with a unit gradient.
import type { LayerJacobian, ParameterJacobian } from '../../protocol/queries';
import { createBackend } from '../../engine/kernels/create-kernels';
import { numel, type Tensor } from '../../engine/kernels/tensor';
import { createLayerContext } from '../../engine/isolated-layer';
import { parametersUsedBy } from '../../engine/network-model';
import type { TrainingSession } from '../session';
import { type FollowedSample, followSample, inputsOfFollowed, weightsBeforeUpdate } from './followed-sample';

/** Larger ones are not readable anyway. */
export const MAX_JACOBIAN_ELEMENTS = 4096;
/** Maximum number of elements for a few rows of a Jacobian; a million of them are computed immediately. */
const MAX_ROW_ELEMENTS = 2 ** 20;

/** Null if the layer is too large or does not exist, or if the samples of a batch depend on each other. */
export function layerJacobian(
  session: TrainingSession,
  layer: number,
  requestedSample: number | null,
): LayerJacobian | null {
  const model = session.network.model.layers[layer];
  if (!model || numel(model.inputShape) * numel(model.outputShape) > MAX_JACOBIAN_ELEMENTS) return null;
  return layerJacobianRows(
    session,
    layer,
    requestedSample,
    Array.from({ length: numel(model.outputShape) }, (_, i) => i),
  );
}

/**
 * Only the rows of these outputs, in their order, for large layers.
 * @param position of the input that the derivatives are with respect to
 */
export function layerJacobianRows(
  session: TrainingSession,
  layer: number,
  requestedSample: number | null,
  rows: readonly number[],
  position = 0,
): LayerJacobian | null {
  const { network } = session;
  const model = network.model.layers[layer];
  const followed = model && followSample(session, requestedSample);
  const given = followed && inputsOfFollowed(followed, network.model, layer);
  const inputs = given?.[position]?.length ?? 0;
  if (!followed || !given || rows.length === 0 || inputs === 0) return null;
  const [size, outputs] = [numel(model.outputShape), rows.length];
  if (outputs * Math.max(inputs, size) > MAX_ROW_ELEMENTS) return null;
  const context = forwardContext(session, layer, followed, outputs, given);
  for (let i = 0; i < outputs; i++) context.gradOutput.data[i * size + rows[i]!] = 1;
  model.definition.backward(context);
  const gradient = [context.gradInput, ...context.gradOtherInputs][position];
  return gradient ? { sample: followed.sample, outputs, inputs, values: Float64Array.from(gradient.data) } : null;
}

/** One sample in each of `rows` rows of the layer alone, after its forward pass. */
function forwardContext(
  session: TrainingSession,
  layer: number,
  followed: FollowedSample,
  rows: number,
  given: readonly Tensor['data'][],
) {
  const { network } = session;
  const model = network.model.layers[layer]!;
  const context = createLayerContext(createBackend('reference', 'float64'), model, rows, true);
  for (const parameter of parametersUsedBy(network, layer))
    context.parameters[parameter.shortName]!.data.set(weightsBeforeUpdate(session, followed, parameter));
  for (const { shortName, value } of network.buffers.filter((buffer) => buffer.layer === layer))
    context.buffers[shortName]!.data.set(value.data);
  [context.input, ...context.otherInputs].forEach(({ data }, at) => {
    for (let i = 0; i < rows; i++) data.set(given[at]!, i * given[at]!.length);
  });
  copyRandomDraws(context.mask, session.pass.masks[layer]!, followed.row);
  model.definition.forward(context);
  return context;
}

/** How each output of one sample changes with each entry of each parameter, from one backward pass per output. */
export function parameterJacobians(
  session: TrainingSession,
  layer: number,
  requestedSample: number | null,
): readonly ParameterJacobian[] {
  const { network } = session;
  const model = network.model.layers[layer];
  const followed = model && followSample(session, requestedSample);
  const given = followed && inputsOfFollowed(followed, network.model, layer);
  const used = model ? parametersUsedBy(network, layer) : [];
  if (!followed || !given || used.length === 0) return [];
  const outputs = numel(model.outputShape);
  const jacobians = used.map(({ name, shortName, value: { shape } }) => ({
    name,
    shortName,
    shape,
    values: outputs * numel(shape) <= MAX_JACOBIAN_ELEMENTS ? new Float64Array(outputs * numel(shape)) : null,
  }));
  if (jacobians.every(({ values }) => values === null))
    return jacobians.map(({ shortName: _, ...jacobian }) => jacobian);
  const context = forwardContext(session, layer, followed, 1, given);
  for (let i = 0; i < outputs; i++) {
    context.gradOutput.data.fill(0);
    context.gradOutput.data[i] = 1;
    for (const { data } of Object.values(context.gradParameters)) data.fill(0);
    model.definition.backward(context);
    for (const { shortName, values } of jacobians) {
      const { data } = context.gradParameters[shortName]!;
      values?.set(data, i * data.length);
    }
  }
  return jacobians.map(({ shortName: _, ...jacobian }) => jacobian);
}

/** Backward passes with a unit gradient, one for each output of each sample of the batch. */
export const MAX_UNIT_GRADIENTS = 512;
/** Numbers of the layer's input and output in all of these passes. */
const MAX_UNIT_NUMBERS = 2 ** 22;

/**
 * ∂y/∂w for one entry w of a parameter and each output of each sample of the step's batch, [batch · outputs]; or, by
 * sample, what each contributes to dL/dw, [batch]. In float64, by the backward pass of the layer. Null if it is too
 * large.
 */
export function parameterDerivatives(
  session: TrainingSession,
  layer: number,
  parameter: string,
  index: number,
  per: 'output' | 'sample',
): Float64Array | null {
  const { network, pass, updateRatios } = session;
  const model = network.model.layers[layer]!;
  const rows = pass.batchSize;
  const size = numel(model.outputShape);
  const passes = per === 'output' ? rows * size : rows;
  const shapes = [model.inputShape, model.outputShape, ...(model.otherInputShapes ?? [])];
  if (passes * rows * shapes.reduce((sum, shape) => sum + numel(shape), 0) > MAX_UNIT_NUMBERS) return null;
  const context = createLayerContext(createBackend('reference', 'float64'), model, rows, true);
  for (const { shortName, name, value, previous } of parametersUsedBy(network, layer)) {
    const before = updateRatios.has(name) ? value.data.map((after, i) => after - previous.data[i]!) : value.data;
    context.parameters[shortName]!.data.set(before);
  }
  for (const { shortName, value } of network.buffers.filter((buffer) => buffer.layer === layer))
    context.buffers[shortName]!.data.set(value.data);
  const inputs = pass.layerInputs(layer);
  [context.input, ...context.otherInputs].forEach(({ data }, i) => data.set(inputs[i]!.data));
  if (context.mask) context.mask.data.set(pass.masks[layer]!.data);
  model.definition.forward(context);
  const out = new Float64Array(passes);
  const upstream = pass.outputGradients[layer]!.data;
  for (let i = 0; i < passes; i++) {
    context.gradOutput.data.fill(0);
    if (per === 'output') context.gradOutput.data[i] = 1;
    else context.gradOutput.data.set(upstream.subarray(i * size, (i + 1) * size), i * size);
    for (const { data } of Object.values(context.gradParameters)) data.fill(0);
    model.definition.backward(context);
    out[i] = context.gradParameters[parameter]!.data[index]!;
  }
  return out;
}

/** Copies the mask of the sample's row to every row. In evaluation, nothing is masked. */
function copyRandomDraws(to: Tensor | null, from: Tensor | null, row: number | null): void {
  if (!to) return;
  if (!from || row === null) {
    to.data.fill(1);
    return;
  }
  const width = from.data.length / from.shape[0]!;
  for (let i = 0; i < to.shape[0]!; i++) to.data.set(from.data.subarray(row * width, (row + 1) * width), i * width);
}
