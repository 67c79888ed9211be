// All values of one tensor of a step, as a matrix that is small enough to draw.
import type { TensorKind, TensorTile, TensorRequest } from '../../protocol/queries';
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

/** Maximum number of rows or columns that are sent; larger tensors are reduced. */
export const MAX_TILE = 64;

export const tensor = defineQuery({
  type: 'tensor',
  resolve(session: TrainingSession, request: TensorRequest): TensorTile | null {
    const found = findTensor(session, request);
    return found ? toTile(found, request.kind) : null;
  },
});

/** Undefined if it does not exist, or this step has not computed it yet. */
export function findTensor(
  { network, pass, progress }: TrainingSession,
  { layer, kind, parameter }: TensorRequest,
): Tensor | undefined {
  const found = network.parameters.find((p) => p.layer === layer && p.shortName === parameter);
  switch (kind) {
    case 'output':
      return progress.hasOutput(layer) ? pass.outputs[layer] : undefined;
    case 'output_gradient':
      return progress.hasOutputGradient(layer) ? pass.outputGradients[layer] : undefined;
    case 'parameter':
      return found?.value;
    case 'parameter_gradient':
      return progress.hasParameterGradients(layer) ? found?.gradient : undefined;
    case 'internal':
      return progress.hasOutput(layer) ? pass.internal(layer, parameter ?? '') : undefined;
    case 'internal_gradient':
      return progress.hasParameterGradients(layer) ? pass.internalGradient(layer, parameter ?? '') : undefined;
    case 'buffer':
      return network.buffers.find((buffer) => buffer.layer === layer && buffer.shortName === parameter)?.value;
  }
}

/** The tensor as a matrix, reduced if it is too large to draw. */
export function toTile(
  { shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> },
  kind: TensorKind,
): TensorTile {
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
      const value = data[i * columns + j]!;
      const cell = Math.floor(i / rowStride) * tileColumns + Math.floor(j / columnStride);
      // NaN must not be hidden by larger neighbors.
      if (Number.isNaN(value) || Math.abs(value) > Math.abs(cells[cell]!)) cells[cell] = value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  return { kind, shape, rows: tileRows, columns: tileColumns, rowStride, columnStride, cells, min, max };
}
