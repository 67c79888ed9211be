// All values of one tensor of a step, as a matrix that is small enough to be drawn.
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { TensorKind, TensorReading, TensorRequest } from '../frame';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';

/** Most rows or columns of a tensor that are sent; larger ones are reduced. */
export const MAX_TILE = 64;

export const tensor = defineQuestion({
  about: 'tensor',
  answer(session: TrainingSession, request: TensorRequest): TensorReading | null {
    const found = tensorFor(session, request);
    return found ? reduce(found, request.kind) : null;
  },
});

/** Undefined where it does not exist, or holds nothing of this step yet. */
export function tensorFor({ network, pass, progress }: TrainingSession, { layer, kind, parameter }: TensorRequest): Tensor | undefined {
  const found = network.parameters.find((p) => p.layer === layer && p.shortName === parameter);
  switch (kind) {
    case 'output':
      return progress.forward(layer) ? pass.outputs[layer] : undefined;
    case 'output_gradient':
      return progress.outputGradient(layer) ? pass.outputGradients[layer] : undefined;
    case 'parameter':
      return found?.value;
    case 'parameter_gradient':
      return progress.backward(layer) ? found?.gradient : undefined;
    case 'buffer':
      return network.buffers.find((buffer) => buffer.layer === layer && buffer.shortName === parameter)?.value;
  }
}

/** As a matrix, reduced where it is too large to be drawn. */
export function reduce({ shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> }, kind: TensorKind): TensorReading {
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
  return { kind, shape, rows: tileRows, columns: tileColumns, rowStride, columnStride, cells, min, max };
}
