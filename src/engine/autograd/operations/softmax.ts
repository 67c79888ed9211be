// Softmax and its logarithm along an axis.
import type { Tensor, TensorData } from '../../kernels/tensor';
import { splitAtAxis, normalizeAxis } from '../axes';
import { requireTensor, type Operation } from '../operation';

type AlongAxis = Operation<[x: Tensor, axis?: number]>;

/** Calls `work` with the offset and the stride of every row along the axis. */
function forEachRow(
  { outer, size, inner }: ReturnType<typeof splitAtAxis>,
  work: (first: number, stride: number, size: number) => void,
): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) work(o * size * inner + i, inner, size);
}

function maxOfRow(x: TensorData, first: number, stride: number, size: number): number {
  let max = -Infinity;
  for (let k = 0; k < size; k++) max = Math.max(max, x[first + k * stride]!);
  return max;
}

/** y = exp(x - max) / Σ; dx = y (dy - y·dy). */
export const softmax: AlongAxis = (tape, value, axis = -1) => {
  const x = requireTensor('softmax', value);
  const places = splitAtAxis(x.shape, normalizeAxis('softmax', x.shape, axis));
  const y = tape.allocate(x.data.length);
  forEachRow(places, (first, stride, size) => {
    const max = maxOfRow(x.data, first, stride, size);
    let sum = 0;
    for (let k = 0; k < size; k++) sum += y[first + k * stride] = Math.exp(x.data[first + k * stride]! - max);
    for (let k = 0; k < size; k++) y[first + k * stride]! /= sum;
  });
  return tape.record([x], x.shape, y, (dy) => {
    const dx = tape.allocate(y.length);
    forEachRow(places, (first, stride, size) => {
      let dot = 0;
      for (let k = 0; k < size; k++) dot += y[first + k * stride]! * dy[first + k * stride]!;
      for (let k = 0; k < size; k++) dx[first + k * stride] = y[first + k * stride]! * (dy[first + k * stride]! - dot);
    });
    return [dx];
  });
};

/** y = x - max - log Σ exp(x - max); dx = dy - exp(y) Σ dy. */
export const logSoftmax: AlongAxis = (tape, value, axis = -1) => {
  const x = requireTensor('logSoftmax', value);
  const places = splitAtAxis(x.shape, normalizeAxis('logSoftmax', x.shape, axis));
  const y = tape.allocate(x.data.length);
  forEachRow(places, (first, stride, size) => {
    const max = maxOfRow(x.data, first, stride, size);
    let sum = 0;
    for (let k = 0; k < size; k++) sum += Math.exp(x.data[first + k * stride]! - max);
    const shift = max + Math.log(sum);
    for (let k = 0; k < size; k++) y[first + k * stride] = x.data[first + k * stride]! - shift;
  });
  return tape.record([x], x.shape, y, (dy) => {
    const dx = tape.allocate(y.length);
    forEachRow(places, (first, stride, size) => {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += dy[first + k * stride]!;
      for (let k = 0; k < size; k++)
        dx[first + k * stride] = dy[first + k * stride]! - Math.exp(y[first + k * stride]!) * sum;
    });
    return [dx];
  });
};
