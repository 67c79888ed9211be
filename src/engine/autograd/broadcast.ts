// Broadcasting as in NumPy and PyTorch: shapes are aligned at the last axis, and a size of 1 matches any.
import { formatShape, numel, type Shape, type TensorData } from '../kernels/tensor';
import { OperationError } from './tape';

/** @throws OperationError if sizes differ and neither is 1 */
export function broadcastShape(name: string, a: Shape, b: Shape): Shape {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => {
    const m = a[i - length + a.length] ?? 1;
    const n = b[i - length + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new OperationError(`${name}: the shapes ${formatShape(a)} and ${formatShape(b)} cannot be broadcast.`);
    }
    return m === 1 ? n : m;
  });
}

/** For each element of `to`, row-major, its index in a tensor of shape `from`; null if they are the same. */
export function broadcastIndices(from: Shape, to: Shape): Int32Array | null {
  if (numel(from) === numel(to)) return null;
  const lead = to.length - from.length;
  const strides = new Array<number>(to.length).fill(0);
  for (let axis = from.length - 1, stride = 1; axis >= 0; stride *= from[axis--]!) {
    if (from[axis]! > 1) strides[axis + lead] = stride;
  }
  const places = new Int32Array(numel(to));
  const index = new Array<number>(to.length).fill(0);
  for (let i = 0, at = 0; i < places.length; i++) {
    places[i] = at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < to[axis]!) break;
      at -= strides[axis]! * to[axis]!;
      index[axis] = 0;
    }
  }
  return places;
}

/** Sums the gradients of all elements with the same source: the backward pass of a broadcast. */
export function scatterAdd(gradient: TensorData, places: Int32Array | null, out: TensorData): TensorData {
  if (!places) out.set(gradient);
  else for (let i = 0; i < gradient.length; i++) out[places[i]!]! += gradient[i]!;
  return out;
}
