// Operations that move numbers: reordering, reshaping, joining. Gradients flow back to where each number came from.
import { formatShape, numel, type Shape, type Tensor } from '../../kernels/tensor';
import { splitAtAxis, normalizeAxis, withAxisSize } from '../axes';
import { requireTensor, type Operation } from '../operation';
import { OperationError, type Tape } from '../tape';

/** @param places the index in x of each element of the result */
function gatherElements(tape: Tape, x: Tensor, shape: Shape, places: Int32Array): Tensor {
  const y = tape.allocate(places.length);
  for (let i = 0; i < y.length; i++) y[i] = x.data[places[i]!]!;
  return tape.record([x], shape, y, (dy) => {
    const dx = tape.allocate(x.data.length);
    for (let i = 0; i < dy.length; i++) dx[places[i]!]! += dy[i]!;
    return [dx];
  });
}

export const transpose: Operation<[x: Tensor, order?: readonly number[]]> = (tape, value, given) => {
  const x = requireTensor('transpose', value);
  const { length } = x.shape;
  if (!given && length < 2)
    throw new OperationError(`transpose: a tensor of shape ${formatShape(x.shape)} has no two axes to swap.`);
  const order = (given ?? [...x.shape.keys()].toSpliced(length - 2, 2, length - 1, length - 2)).map((axis) =>
    normalizeAxis('transpose', x.shape, axis),
  );
  if (new Set(order).size !== length || order.length !== length) {
    throw new OperationError(`transpose: the order ${order.join(', ')} must name each of the ${length} axes once.`);
  }
  const strides = x.shape.map((_, axis) => numel(x.shape.slice(axis + 1)));
  const shape = order.map((axis) => x.shape[axis]!);
  const places = new Int32Array(x.data.length);
  const index = order.map(() => 0);
  for (let i = 0, at = 0; i < places.length; i++) {
    places[i] = at;
    for (let axis = length - 1; axis >= 0; axis--) {
      const stride = strides[order[axis]!]!;
      at += stride;
      if (++index[axis]! < shape[axis]!) break;
      at -= stride * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gatherElements(tape, x, shape, places);
};

export const reshape: Operation<[x: Tensor, shape: Shape]> = (tape, value, wanted) => {
  const x = requireTensor('reshape', value);
  const known = wanted.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const shape = wanted.map((n) => (n === -1 ? x.data.length / known : n));
  if (
    wanted.filter((n) => n === -1).length > 1 ||
    !shape.every((n) => Number.isInteger(n) && n >= 0) ||
    numel(shape) !== x.data.length
  ) {
    throw new OperationError(`reshape: ${formatShape(x.shape)} cannot become ${formatShape(wanted)}.`);
  }
  return tape.record([x], shape, x.data, (dy) => [dy]);
};

export const concatenate: Operation<[tensors: readonly Tensor[], axis?: number]> = (tape, values, axis = -1) => {
  const tensors = values.map((value) => requireTensor('concatenate', value));
  if (tensors.length === 0) throw new OperationError('concatenate: there are no tensors.');
  const first = tensors[0]!;
  const at = normalizeAxis('concatenate', first.shape, axis);
  for (const { shape } of tensors) {
    if (shape.length === first.shape.length && shape.every((n, i) => i === at || n === first.shape[i])) continue;
    throw new OperationError(
      `concatenate: ${formatShape(shape)} does not match ${formatShape(first.shape)} along axis ${at}.`,
    );
  }
  const shape = withAxisSize(
    first.shape,
    at,
    tensors.reduce((sum, each) => sum + each.shape[at]!, 0),
  );
  const whole = splitAtAxis(shape, at);
  const y = tape.allocate(numel(shape));
  const width = whole.size * whole.inner;
  /** Visits each contiguous run of numbers: its tensor, its offset there and in the result, and its length. */
  const runs = (work: (tensor: number, from: number, to: number, length: number) => void): void => {
    let offset = 0;
    tensors.forEach((each, number) => {
      const length = each.shape[at]! * whole.inner;
      for (let o = 0; o < whole.outer; o++) work(number, o * length, o * width + offset, length);
      offset += length;
    });
  };
  runs((number, from, to, length) => y.set(tensors[number]!.data.subarray(from, from + length), to));
  return tape.record(tensors, shape, y, (dy) => {
    const shares = tensors.map(({ data }) => tape.allocate(data.length));
    runs((number, from, to, length) => shares[number]!.set(dy.subarray(to, to + length), from));
    return shares;
  });
};

/** Joins tensors of equal shape along a new axis. */
export const stack: Operation<[tensors: readonly Tensor[], axis?: number]> = (tape, values, axis = 0) => {
  const expanded = values.map((value) => {
    const { shape } = requireTensor('stack', value);
    const at = normalizeAxis('stack', [...shape, 1], axis);
    return reshape(tape, value, shape.toSpliced(at, 0, 1));
  });
  return concatenate(tape, expanded, axis);
};

export const take: Operation<[x: Tensor, axis: number, places: readonly number[]]> = (tape, value, axis, chosen) => {
  const x = requireTensor('take', value);
  const at = normalizeAxis('take', x.shape, axis);
  const { outer, size, inner } = splitAtAxis(x.shape, at);
  const indexes = chosen.map((place) => {
    const index = place < 0 ? size + place : place;
    if (Number.isInteger(index) && index >= 0 && index < size) return index;
    throw new OperationError(`take: position ${place} is out of range along axis ${at}, which has size ${size}.`);
  });
  const places = new Int32Array(outer * indexes.length * inner);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indexes) for (let j = 0; j < inner; j++) places[i++] = (o * size + index) * inner + j;
  }
  return gatherElements(tape, x, withAxisSize(x.shape, at, indexes.length), places);
};

export const slice: Operation<[x: Tensor, axis: number, from: number, to?: number]> = (tape, value, axis, from, to) => {
  const x = requireTensor('slice', value);
  const size = x.shape[normalizeAxis('slice', x.shape, axis)]!;
  const bound = (place: number): number => Math.min(size, Math.max(0, place < 0 ? size + place : place));
  const first = bound(from);
  const last = bound(to ?? size);
  return take(
    tape,
    x,
    axis,
    Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i),
  );
};
