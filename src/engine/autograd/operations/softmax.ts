// Softmax and its logarithm along an axis.
import type { Tensor, TensorData } from '../../kernels/tensor';
import { along, axisOf } from '../axes';
import { tensor, type Operation } from '../operation';

type AlongAxis = Operation<[x: Tensor, axis?: number]>;

/** Calls `work` with the first place and the stride of every row along the axis. */
function rows({ outer, size, inner }: ReturnType<typeof along>, work: (first: number, stride: number, size: number) => void): void {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) work(o * size * inner + i, inner, size);
}

function largest(x: TensorData, first: number, stride: number, size: number): number {
  let max = -Infinity;
  for (let k = 0; k < size; k++) max = Math.max(max, x[first + k * stride]);
  return max;
}

/** y = exp(x - max) / Σ; dx = y (dy - y·dy). */
export const softmax: AlongAxis = (tape, value, axis = -1) => {
  const x = tensor('softmax', value);
  const places = along(x.shape, axisOf('softmax', x.shape, axis));
  const y = tape.room(x.data.length);
  rows(places, (first, stride, size) => {
    const max = largest(x.data, first, stride, size);
    let sum = 0;
    for (let k = 0; k < size; k++) sum += y[first + k * stride] = Math.exp(x.data[first + k * stride] - max);
    for (let k = 0; k < size; k++) y[first + k * stride] /= sum;
  });
  return tape.note([x], x.shape, y, (dy) => {
    const dx = tape.room(y.length);
    rows(places, (first, stride, size) => {
      let dot = 0;
      for (let k = 0; k < size; k++) dot += y[first + k * stride] * dy[first + k * stride];
      for (let k = 0; k < size; k++) dx[first + k * stride] = y[first + k * stride] * (dy[first + k * stride] - dot);
    });
    return [dx];
  });
};

/** y = x - max - log Σ exp(x - max); dx = dy - exp(y) Σ dy. */
export const logSoftmax: AlongAxis = (tape, value, axis = -1) => {
  const x = tensor('logSoftmax', value);
  const places = along(x.shape, axisOf('logSoftmax', x.shape, axis));
  const y = tape.room(x.data.length);
  rows(places, (first, stride, size) => {
    const max = largest(x.data, first, stride, size);
    let sum = 0;
    for (let k = 0; k < size; k++) sum += Math.exp(x.data[first + k * stride] - max);
    const shift = max + Math.log(sum);
    for (let k = 0; k < size; k++) y[first + k * stride] = x.data[first + k * stride] - shift;
  });
  return tape.note([x], x.shape, y, (dy) => {
    const dx = tape.room(y.length);
    rows(places, (first, stride, size) => {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += dy[first + k * stride];
      for (let k = 0; k < size; k++) dx[first + k * stride] = dy[first + k * stride] - Math.exp(y[first + k * stride]) * sum;
    });
    return [dx];
  });
};
