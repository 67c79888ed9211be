// Copies the samples of a batch into the tensor that a pass reads.
import type { TargetData } from './datasets/dataset';
import type { Precision, Tensor, TensorData } from './kernels/tensor';

/** Rows at least this wide are copied as a whole, which allocates a view. */
const BULK_COPY_WIDTH = 64;
/** Maximum number of inputs, 64 MB, for which a rounded copy is worth its memory. */
const MAX_PRECONVERTED_NUMBERS = 2 ** 24;

/**
 * Whether to round all inputs once and keep the copy: rounding a batch takes five times as long as copying it.
 * @param bytes per stored number
 */
export const shouldPreconvertInputs = (precision: Precision, bytes: number, width: number, samples: number): boolean =>
  precision === 'float32' && bytes === 8 && width >= BULK_COPY_WIDTH && width * samples <= MAX_PRECONVERTED_NUMBERS;

/** Copies narrow rows element by element: views and `set` cost more than the copy itself and allocate at every step. */
export function gatherRows(
  { shape, data }: Tensor,
  from: TensorData | TargetData,
  indices: Uint32Array,
  offset: number,
): void {
  const rows = shape[0]!;
  const width = data.length / rows;
  if (width === 1) {
    for (let row = 0; row < rows; row++) data[row] = from[indices[offset + row]!]!;
    return;
  }
  if (width === 2) {
    for (let row = 0; row < rows; row++) {
      const at = indices[offset + row]! * 2;
      data[2 * row] = from[at]!;
      data[2 * row + 1] = from[at + 1]!;
    }
    return;
  }
  if (width >= BULK_COPY_WIDTH) {
    for (let row = 0; row < rows; row++) {
      const at = indices[offset + row]! * width;
      data.set(from.subarray(at, at + width), row * width);
    }
    return;
  }
  for (let row = 0, to = 0; row < rows; row++) {
    let at = indices[offset + row]! * width;
    for (const end = to + width; to < end; to++) data[to] = from[at++]!;
  }
}
