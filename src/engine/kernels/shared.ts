// Kernels that every backend may take over as they are: plain loops over the tensors' typed arrays, wherever
// these lie. A backend extends this class and overrides what it has a faster version of.
import type { Tensor } from './tensor';
import { type Unary, unaryFunction } from './unary';

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

export abstract class SharedKernels {
  unary(y: Tensor, x: Tensor, f: Unary, a: number): void {
    const { value } = unaryFunction(f);
    for (let i = 0; i < y.data.length; i++) y.data[i] = value(x.data[i], a);
  }

  unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: Unary, a: number): void {
    const { slope } = unaryFunction(f);
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i] * slope(x.data[i], a);
  }

  logSoftmax(y: Tensor, x: Tensor): void {
    const n = columns(x);
    for (let from = 0; from < x.data.length; from += n) {
      let max = -Infinity;
      for (let i = from; i < from + n; i++) max = Math.max(max, x.data[i]);
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += Math.exp(x.data[i] - max);
      const log = Math.log(sum);
      // The maximum first: adding it to the logarithm would cost the digits of small differences.
      for (let i = from; i < from + n; i++) y.data[i] = x.data[i] - max - log;
    }
  }

  logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columns(y);
    for (let from = 0; from < y.data.length; from += n) {
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += dy.data[i];
      for (let i = from; i < from + n; i++) dx.data[i] = dy.data[i] - Math.exp(y.data[i]) * sum;
    }
  }
}
