// Tensors and their memory. A tensor is a row-major view into one buffer that a kernel backend allocates once, when a
// network is compiled. Nothing here allocates during training.

export type Precision = 'float32' | 'float64';
export type TensorData = Float32Array | Float64Array;
/** Row-major sizes; the batch, if any, comes first. */
export type Shape = readonly number[];
/**
 * Shapes with at least this many axes, for destructuring: `const [rows, columns] = x.shape as Shape2`. The cast is not
 * checked, because shapes are inferred and validated before there are tensors.
 */
export type Shape1 = readonly [number, ...Shape];
export type Shape2 = readonly [number, ...Shape1];
export type Shape3 = readonly [number, ...Shape2];
export type Shape4 = readonly [number, ...Shape3];

export interface Tensor {
  readonly shape: Shape;
  /** The elements: a view of exactly `numel(shape)` elements into the backend's memory. */
  readonly data: TensorData;
}

export const bytesPerElement = (precision: Precision): number => (precision === 'float64' ? 8 : 4);

export function numel(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** `[2, 3]` is formatted as `2×3`, and a scalar as `1`. */
export const formatShape = (shape: Shape): string => (shape.length === 0 ? '1' : shape.join('×'));

/** A copy in which the first two axes are swapped. */
export function swapLeadingAxes({ shape: [first, second, ...rest], data }: Tensor): Tensor {
  const [size, rows, columns] = [numel(rest), first ?? 1, second ?? 1];
  const swapped = data.slice();
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      swapped.set(data.subarray((i * columns + j) * size, (i * columns + j + 1) * size), (j * rows + i) * size);
  return { shape: [columns, rows, ...rest], data: swapped };
}

/** The leading rows of `tensor` in another shape, sharing its memory. */
export function view(tensor: Tensor, shape: Shape): Tensor {
  const size = numel(shape);
  if (size > tensor.data.length) {
    throw new RangeError(`a view of ${formatShape(shape)} does not fit in ${formatShape(tensor.shape)}`);
  }
  return { shape, data: tensor.data.subarray(0, size) };
}

// Whole cache lines, so that vector loads never straddle two tensors.
const ALIGNMENT = 64;

/** The tensors that a network needs, counted before any memory is allocated. */
export class MemoryPlan {
  #bytes = 0;
  readonly #slots: { readonly shape: Shape; readonly offset: number }[] = [];

  constructor(readonly precision: Precision) {}

  /** Total size in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get slots(): readonly { readonly shape: Shape; readonly offset: number }[] {
    return this.#slots;
  }

  /** Reserves memory for a tensor and returns its slot number. */
  reserve(shape: Shape): number {
    const bytes = numel(shape) * bytesPerElement(this.precision);
    this.#slots.push({ shape, offset: this.#bytes });
    this.#bytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return this.#slots.length - 1;
  }
}

/** Creates the tensors of a plan as views into a buffer; `base` is the byte offset of the plan. */
export function createTensors(plan: MemoryPlan, buffer: ArrayBufferLike, base = 0): Tensor[] {
  return plan.slots.map(({ shape, offset }) => ({
    shape,
    data:
      plan.precision === 'float64'
        ? new Float64Array(buffer, base + offset, numel(shape))
        : new Float32Array(buffer, base + offset, numel(shape)),
  }));
}

/** The same numbers as a matrix whose rows are those of the last axis: positions of sequences become rows. */
export function asRows(tensor: Tensor): Tensor {
  const { shape, data } = tensor;
  if (shape.length <= 2) return tensor;
  const width = shape[shape.length - 1]!;
  return { shape: [data.length / width, width], data };
}
