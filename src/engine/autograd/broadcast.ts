// Shapes of operands brought together as NumPy and PyTorch do: aligned at the last axis, a size of 1 stands for any.
import { formatShape, sizeOf, type Shape, type TensorData } from '../kernels/tensor';
import { OperationError } from './tape';

/** @throws OperationError where sizes differ and none of them is 1. */
export function broadcastShape(name: string, a: Shape, b: Shape): Shape {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => {
    const m = a[i - length + a.length] ?? 1;
    const n = b[i - length + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new OperationError(`${name}: the shapes ${formatShape(a)} and ${formatShape(b)} do not go together.`);
    }
    return m === 1 ? n : m;
  });
}

/** For each element of `to`, row-major, the place in a tensor of shape `from` that it takes; null where they are the same. */
export function placesIn(from: Shape, to: Shape): Int32Array | null {
  if (sizeOf(from) === sizeOf(to)) return null;
  const lead = to.length - from.length;
  const strides = new Array<number>(to.length).fill(0);
  for (let axis = from.length - 1, stride = 1; axis >= 0; stride *= from[axis--]) {
    if (from[axis] > 1) strides[axis + lead] = stride;
  }
  const places = new Int32Array(sizeOf(to));
  const index = new Array<number>(to.length).fill(0);
  for (let i = 0, at = 0; i < places.length; i++) {
    places[i] = at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < to[axis]) break;
      at -= strides[axis] * to[axis];
      index[axis] = 0;
    }
  }
  return places;
}

/** The sum over everything that took the same place: what flows back through a broadcast. */
export function gatherBack(gradient: TensorData, places: Int32Array | null, out: TensorData): TensorData {
  if (!places) out.set(gradient);
  else for (let i = 0; i < gradient.length; i++) out[places[i]] += gradient[i];
  return out;
}
