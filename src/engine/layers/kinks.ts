// Where layers have kinks, for the gradient check.
import type { Tensor } from '../kernels/tensor';

/** Whether an element changes its sign from `a` to `b`, or lies on 0 in just one of them. */
export function crossesZero(a: Tensor, b: Tensor): boolean {
  for (let i = 0; i < a.data.length; i++) {
    if (Math.sign(a.data[i]) !== Math.sign(b.data[i])) return true;
  }
  return false;
}
