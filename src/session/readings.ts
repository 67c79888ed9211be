// Copies what the probes see of the current step into a frame; only what views asked for, and only what
// this step has computed so far.
import { measureActivation, summarize } from '../engine/probes/activations';
import { measureGradient } from '../engine/probes/gradients';
import type { Tensor } from '../engine/kernels/tensor';
import type { Network, Pass } from '../engine/network';
import type { LayerReading, ProbeId, TensorReading, TensorRequest } from './frame';

/** Most rows or columns of a tensor that are sent; larger ones are reduced. */
export const MAX_TILE = 64;

/** How far a step has come: layers whose forward, and whose backward pass is done. */
export interface Progress {
  readonly forward: (layer: number) => boolean;
  /** dL/d output of the layer is known. */
  readonly outputGradient: (layer: number) => boolean;
  /** dL/d parameters of the layer are known. */
  readonly backward: (layer: number) => boolean;
}

export function readLayers(
  network: Network,
  pass: Pass,
  progress: Progress,
  probes: ReadonlySet<ProbeId>,
  updateRatios: ReadonlyMap<string, number | null>,
): LayerReading[] {
  const { kernels } = network;
  return network.model.layers.map(({ definition }, layer) => ({
    activation:
      probes.has('activations') && progress.forward(layer)
        ? measureActivation(kernels, pass.outputs[layer], definition.idleness)
        : null,
    outputGradient:
      probes.has('gradients') && progress.outputGradient(layer)
        ? measureGradient(kernels, pass.outputGradients[layer])
        : null,
    parameters: network.parameters
      .filter((parameter) => parameter.layer === layer)
      .map(({ name, value, gradient }) => {
        const { mean, std } = summarize(kernels, value);
        return {
          name,
          norm: Math.sqrt(kernels.moments(value).sumOfSquares),
          mean,
          std,
          gradient: probes.has('gradients') && progress.backward(layer) ? measureGradient(kernels, gradient) : null,
          updateRatio: probes.has('updates') ? (updateRatios.get(name) ?? null) : null,
        };
      }),
  }));
}

/** Null where the tensor does not exist, or holds nothing of this step yet. */
export function readTensor(network: Network, pass: Pass, progress: Progress, request: TensorRequest): TensorReading | null {
  const tensor = tensorFor(network, pass, progress, request);
  return tensor ? reduce(tensor, request) : null;
}

function tensorFor(network: Network, pass: Pass, progress: Progress, request: TensorRequest): Tensor | undefined {
  const { layer, kind } = request;
  const parameter = network.parameters.find((p) => p.layer === layer && p.shortName === request.parameter);
  switch (kind) {
    case 'output':
      return progress.forward(layer) ? pass.outputs[layer] : undefined;
    case 'output_gradient':
      return progress.outputGradient(layer) ? pass.outputGradients[layer] : undefined;
    case 'parameter':
      return parameter?.value;
    case 'parameter_gradient':
      return progress.backward(layer) ? parameter?.gradient : undefined;
  }
}

function reduce({ shape, data }: Tensor, request: TensorRequest): TensorReading {
  const columns = shape[shape.length - 1] ?? 1;
  const rows = data.length / columns;
  const rowStride = Math.ceil(rows / MAX_TILE);
  const columnStride = Math.ceil(columns / MAX_TILE);
  const tileRows = Math.ceil(rows / rowStride);
  const tileColumns = Math.ceil(columns / columnStride);
  const cells = new Float64Array(tileRows * tileColumns);
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j];
      const cell = Math.floor(i / rowStride) * tileColumns + Math.floor(j / columnStride);
      // NaN must not hide behind larger neighbours.
      if (Number.isNaN(value) || Math.abs(value) > Math.abs(cells[cell])) cells[cell] = value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  return { request, shape, rows: tileRows, columns: tileColumns, rowStride, columnStride, cells, min, max };
}
