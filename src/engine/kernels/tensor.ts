// Tensors and the memory they live in. A tensor is a row-major view into one buffer that a kernel
// backend owns and plans once, when a network is compiled; nothing here allocates during training.

export type Precision = 'float32' | 'float64';
export type TensorData = Float32Array | Float64Array;
/** Row-major sizes; the first one is the batch wherever there is a batch. */
export type Shape = readonly number[];

export interface Tensor {
  readonly shape: Shape;
  /** The elements, a view of exactly `sizeOf(shape)` of them into the backend's memory. */
  readonly data: TensorData;
}

export const bytesPerElement = (precision: Precision): number => (precision === 'float64' ? 8 : 4);

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** `[2, 3]` as people read it: `2×3`; a scalar is `1`. */
export const formatShape = (shape: Shape): string => (shape.length === 0 ? '1' : shape.join('×'));

/** The leading rows of `tensor` under another shape; both share the memory. */
export function view(tensor: Tensor, shape: Shape): Tensor {
  const size = sizeOf(shape);
  if (size > tensor.data.length) {
    throw new RangeError(`a view of ${formatShape(shape)} does not fit in ${formatShape(tensor.shape)}`);
  }
  return { shape, data: tensor.data.subarray(0, size) };
}

// Whole cache lines, so that vector loads of a later backend never straddle two tensors.
const ALIGNMENT = 64;

/** What a network needs, counted before a byte of it is allocated. */
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

  /** Reserves room for a tensor and returns its slot number. */
  reserve(shape: Shape): number {
    const bytes = sizeOf(shape) * bytesPerElement(this.precision);
    this.#slots.push({ shape, offset: this.#bytes });
    this.#bytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return this.#slots.length - 1;
  }
}

/** Lays the tensors of a plan over a buffer; `base` is where the plan starts in it, in bytes. */
export function layOut(plan: MemoryPlan, buffer: ArrayBufferLike, base = 0): Tensor[] {
  return plan.slots.map(({ shape, offset }) => ({
    shape,
    data:
      plan.precision === 'float64'
        ? new Float64Array(buffer, base + offset, sizeOf(shape))
        : new Float32Array(buffer, base + offset, sizeOf(shape)),
  }));
}
