// The same numbers in another order, shape or company. What flows back goes to where each number came from.
import { formatShape, sizeOf, type Shape, type Tensor } from '../../kernels/tensor';
import { along, axisOf, withSize } from '../axes';
import { tensor, type Operation } from '../operation';
import { OperationError, type Tape } from '../tape';

/** @param places where in x each element of the result comes from. */
function arranged(tape: Tape, x: Tensor, shape: Shape, places: Int32Array): Tensor {
  const y = tape.room(places.length);
  for (let i = 0; i < y.length; i++) y[i] = x.data[places[i]];
  return tape.note([x], shape, y, (dy) => {
    const dx = tape.room(x.data.length);
    for (let i = 0; i < dy.length; i++) dx[places[i]] += dy[i];
    return [dx];
  });
}

export const transpose: Operation<[x: Tensor, order?: readonly number[]]> = (tape, value, given) => {
  const x = tensor('transpose', value);
  const { length } = x.shape;
  if (!given && length < 2) throw new OperationError(`transpose: a tensor of shape ${formatShape(x.shape)} has no two axes to swap.`);
  const order = (given ?? [...x.shape.keys()].toSpliced(length - 2, 2, length - 1, length - 2)).map((axis) => axisOf('transpose', x.shape, axis));
  if (new Set(order).size !== length || order.length !== length) {
    throw new OperationError(`transpose: the order ${order.join(', ')} must name each of the ${length} axes once.`);
  }
  const strides = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
  const shape = order.map((axis) => x.shape[axis]);
  const places = new Int32Array(x.data.length);
  const index = order.map(() => 0);
  for (let i = 0, at = 0; i < places.length; i++) {
    places[i] = at;
    for (let axis = length - 1; axis >= 0; axis--) {
      const stride = strides[order[axis]];
      at += stride;
      if (++index[axis] < shape[axis]) break;
      at -= stride * shape[axis];
      index[axis] = 0;
    }
  }
  return arranged(tape, x, shape, places);
};

export const reshape: Operation<[x: Tensor, shape: Shape]> = (tape, value, wanted) => {
  const x = tensor('reshape', value);
  const known = wanted.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const shape = wanted.map((n) => (n === -1 ? x.data.length / known : n));
  if (wanted.filter((n) => n === -1).length > 1 || !shape.every((n) => Number.isInteger(n) && n >= 0) || sizeOf(shape) !== x.data.length) {
    throw new OperationError(`reshape: ${formatShape(x.shape)} cannot become ${formatShape(wanted)}.`);
  }
  return tape.note([x], shape, x.data, (dy) => [dy]);
};

export const concatenate: Operation<[tensors: readonly Tensor[], axis?: number]> = (tape, values, axis = -1) => {
  const tensors = values.map((value) => tensor('concatenate', value));
  if (tensors.length === 0) throw new OperationError('concatenate: there is no tensor.');
  const [first] = tensors;
  const at = axisOf('concatenate', first.shape, axis);
  for (const { shape } of tensors) {
    if (shape.length === first.shape.length && shape.every((n, i) => i === at || n === first.shape[i])) continue;
    throw new OperationError(`concatenate: ${formatShape(shape)} does not fit to ${formatShape(first.shape)} along axis ${at}.`);
  }
  const shape = withSize(first.shape, at, tensors.reduce((sum, each) => sum + each.shape[at], 0));
  const whole = along(shape, at);
  const y = tape.room(sizeOf(shape));
  const width = whole.size * whole.inner;
  /** Calls `work` for each run of numbers that stay together: of which tensor, where in it, where in the result. */
  const runs = (work: (tensor: number, from: number, to: number, length: number) => void): void => {
    let offset = 0;
    tensors.forEach((each, number) => {
      const length = each.shape[at] * whole.inner;
      for (let o = 0; o < whole.outer; o++) work(number, o * length, o * width + offset, length);
      offset += length;
    });
  };
  runs((number, from, to, length) => y.set(tensors[number].data.subarray(from, from + length), to));
  return tape.note(tensors, shape, y, (dy) => {
    const shares = tensors.map(({ data }) => tape.room(data.length));
    runs((number, from, to, length) => shares[number].set(dy.subarray(to, to + length), from));
    return shares;
  });
};

export const take: Operation<[x: Tensor, axis: number, places: readonly number[]]> = (tape, value, axis, chosen) => {
  const x = tensor('take', value);
  const at = axisOf('take', x.shape, axis);
  const { outer, size, inner } = along(x.shape, at);
  const indexes = chosen.map((place) => {
    const index = place < 0 ? size + place : place;
    if (Number.isInteger(index) && index >= 0 && index < size) return index;
    throw new OperationError(`take: there is no place ${place} along axis ${at}, which has ${size}.`);
  });
  const places = new Int32Array(outer * indexes.length * inner);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indexes) for (let j = 0; j < inner; j++) places[i++] = (o * size + index) * inner + j;
  }
  return arranged(tape, x, withSize(x.shape, at, indexes.length), places);
};

export const slice: Operation<[x: Tensor, axis: number, from: number, to?: number]> = (tape, value, axis, from, to) => {
  const x = tensor('slice', value);
  const size = x.shape[axisOf('slice', x.shape, axis)];
  const bound = (place: number): number => Math.min(size, Math.max(0, place < 0 ? size + place : place));
  const first = bound(from);
  const last = bound(to ?? size);
  return take(tape, x, axis, Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i));
};
