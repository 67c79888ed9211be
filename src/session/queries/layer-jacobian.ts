// The Jacobian of one layer for one sample, in float64, from one backward pass per output with a unit gradient.
import type { LayerJacobian } from '../../protocol/queries';
import { createBackend } from '../../engine/kernels/create-kernels';
import { numel, type Tensor } from '../../engine/kernels/tensor';
import { createLayerContext } from '../../engine/isolated-layer';
import { parametersUsedBy } from '../../engine/network-model';
import type { TrainingSession } from '../session';
import { followSample, inputsOfFollowed, weightsBeforeUpdate } from './followed-sample';

/** Larger ones are not readable anyway. */
export const MAX_JACOBIAN_ELEMENTS = 4096;
/** The most elements for a few rows of a Jacobian; a million of them are computed immediately. */
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
  const context = createLayerContext(createBackend('reference', 'float64'), model, outputs, true);
  for (const parameter of parametersUsedBy(network, layer))
    context.parameters[parameter.shortName]!.data.set(weightsBeforeUpdate(session, followed, parameter));
  for (const { shortName, value } of network.buffers.filter((buffer) => buffer.layer === layer))
    context.buffers[shortName]!.data.set(value.data);
  [context.input, ...context.otherInputs].forEach(({ data }, at) => {
    for (let i = 0; i < outputs; i++) data.set(given[at]!, i * given[at]!.length);
  });
  copyRandomDraws(context.mask, session.pass.masks[layer]!, followed.row);
  model.definition.forward(context);
  for (let i = 0; i < outputs; i++) context.gradOutput.data[i * size + rows[i]!] = 1;
  model.definition.backward(context);
  const gradient = [context.gradInput, ...context.gradOtherInputs][position];
  return gradient ? { sample: followed.sample, outputs, inputs, values: Float64Array.from(gradient.data) } : null;
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
