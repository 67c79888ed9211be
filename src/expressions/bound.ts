// An expression bound to tensors: shapes are known and checked, and it can be evaluated any number of times. Numbers
// are float64; true is 1 and false is 0. Tensors between the operators are never stored: their entries are computed one
// by one, when a reduction or a reader asks.
import { numel, type TensorData } from '../engine/kernels/tensor';

export type EntryType = 'number' | 'boolean';

export type Reduced = Readonly<Partial<Record<string, () => number>>>;

/** Reductions of a stored tensor, by kernels. */
export interface TensorReductions {
  readonly sum: (data: TensorData) => number;
  readonly sumOfSquares: (data: TensorData) => number;
  readonly extremes: (data: TensorData) => { readonly min: number; readonly max: number };
  /** Whether an entry is NaN or infinite. */
  readonly hasNonFinite: (data: TensorData) => boolean;
}

export interface Bound {
  readonly type: EntryType;
  /** Empty for a single value. */
  readonly shape: readonly number[];
  readonly size: number;
  /** Computes everything that entries share. Call it before `at` whenever the tensors have changed. */
  readonly prepare: () => void;
  /** An entry by its flat index, in row-major order. */
  readonly at: (index: number) => number;
  /** The entries as they are in memory, if they are stored. */
  readonly data?: TensorData;
  readonly reductions?: TensorReductions;
  /** Faster ways to the results of reductions, by the name of the function. */
  readonly reduced?: Reduced;
  /** Operations of `prepare`, and of one `at`. */
  readonly work: number;
  readonly workPerEntry: number;
}

const nothing = (): void => undefined;

export const constant = (type: EntryType, value: number): Bound => ({
  type,
  shape: [],
  size: 1,
  prepare: nothing,
  at: () => value,
  work: 0,
  workPerEntry: 1,
});

/** A number that is read at each evaluation. */
export const readNumber = (read: () => number): Bound => scalar('number', 1, read);

/** A single value, computed once per evaluation. @param work operations */
export function scalar(type: EntryType, work: number, compute: () => number): Bound {
  let result = NaN;
  return {
    type,
    shape: [],
    size: 1,
    prepare: () => {
      result = compute();
    },
    at: () => result,
    work,
    workPerEntry: 1,
  };
}

/** Below this size, the call of a kernel takes longer than the loop. */
const MIN_KERNEL_SIZE = 48;

/** @param reductions for data that kernels can read */
export function stored(shape: readonly number[], data: TensorData, reductions?: TensorReductions): Bound {
  const size = numel(shape);
  return {
    type: 'number',
    shape,
    size,
    prepare: nothing,
    at: (index) => data[index]!,
    data,
    ...(reductions && { reductions, ...(size >= MIN_KERNEL_SIZE && { reduced: reducedBy(reductions, data, size) }) }),
    work: 0,
    workPerEntry: 1,
  };
}

const reducedBy = ({ sum, sumOfSquares, extremes }: TensorReductions, data: TensorData, size: number): Reduced => ({
  sum: () => sum(data),
  mean: () => sum(data) / size,
  norm: () => Math.sqrt(sumOfSquares(data)),
  min: () => extremes(data).min,
  max: () => extremes(data).max,
});

/** Applies a function to every entry. */
export function mapEntries(operand: Bound, type: EntryType, apply: (value: number) => number): Bound {
  const { shape, size, work, workPerEntry, prepare, at } = operand;
  if (shape.length === 0)
    return scalar(type, work + 1, () => {
      prepare();
      return apply(at(0));
    });
  return { type, shape, size, prepare, at: (index) => apply(at(index)), work, workPerEntry: workPerEntry + 1 };
}

/** The shape of an element-wise result by the rules of NumPy; null if the shapes do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): readonly number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const [x, y] = [a.at(-axis) ?? 1, b.at(-axis) ?? 1];
    if (a.length >= axis && b.length >= axis && x !== y && x !== 1 && y !== 1) return null;
    shape.unshift(x === 1 ? y : x);
  }
  return shape;
}

/** From the flat index in `to` to that in `from`, which is broadcast to it. */
function broadcastIndex(from: readonly number[], to: readonly number[]): ((index: number) => number) | null {
  const size = numel(from);
  if (from.length === to.length && from.every((n, axis) => n === to[axis])) return null;
  if (size === 1) return () => 0;
  if (from.every((n, axis) => n === to[to.length - from.length + axis])) return (index) => index % size;
  return (index) => {
    let [rest, stride, flat] = [index, 1, 0];
    for (let axis = 1; axis <= to.length; axis++) {
      const n = from.at(-axis);
      const size = to.at(-axis)!;
      if (n === undefined || axis > from.length) break;
      if (n > 1) flat += (rest % size) * stride;
      rest = Math.floor(rest / size);
      stride *= n;
    }
    return flat;
  };
}

/** Combines two operands entry by entry. @param shape that of the result, from `broadcastShapes` */
export function zipEntries(
  left: Bound,
  right: Bound,
  shape: readonly number[],
  type: EntryType,
  apply: (a: number, b: number) => number,
): Bound {
  const [a, b] = [left.at, right.at];
  const work = left.work + right.work;
  const prepare = (): void => {
    left.prepare();
    right.prepare();
  };
  if (shape.length === 0)
    return scalar(type, work + 1, () => {
      prepare();
      return apply(a(0), b(0));
    });
  const indexOfLeft = broadcastIndex(left.shape, shape);
  const indexOfRight = broadcastIndex(right.shape, shape);
  return {
    type,
    shape,
    size: numel(shape),
    prepare,
    at: (index) => apply(a(indexOfLeft ? indexOfLeft(index) : index), b(indexOfRight ? indexOfRight(index) : index)),
    work,
    workPerEntry: left.workPerEntry + right.workPerEntry + 1,
  };
}

/** A part of a tensor: the size and the stride of each of its axes, from an offset. */
export function subTensor(
  tensor: Bound,
  offset: number,
  axes: readonly { readonly size: number; readonly stride: number }[],
): Bound {
  const shape = axes.map(({ size }) => size);
  const size = numel(shape);
  const { type, prepare, work, workPerEntry, at, data } = tensor;
  if (axes.length === 0)
    return scalar(type, work + workPerEntry, () => {
      prepare();
      return at(offset);
    });
  let contiguous = 1;
  const isContiguous = [...axes].reverse().every((axis) => {
    const fits = axis.stride === contiguous || axis.size === 1;
    contiguous *= axis.size;
    return fits;
  });
  if (isContiguous && data && type === 'number')
    return stored(shape, data.subarray(offset, offset + size), tensor.reductions);
  return {
    type,
    shape,
    size,
    prepare,
    at: (index) => {
      let [rest, flat] = [index, offset];
      for (let axis = axes.length - 1; axis >= 0; axis--) {
        const { size, stride } = axes[axis]!;
        flat += (rest % size) * stride;
        rest = Math.floor(rest / size);
      }
      return at(flat);
    },
    work,
    workPerEntry: workPerEntry + axes.length,
  };
}
