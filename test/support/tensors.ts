// Tensors for tests, in the memory of the kernels.
import type { Kernels } from '../../src/engine/kernels/kernels';
import { MemoryPlan, type Shape, type Tensor } from '../../src/engine/kernels/tensor';
import { flat, type Nested, shapeOf } from './nested-lists';

/** A tensor of NaN, so that elements that are not written show. */
export function nanTensor(kernels: Kernels, shape: Shape): Tensor {
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve(shape);
  const [tensor] = kernels.allocate(plan);
  tensor.data.fill(NaN);
  return tensor;
}

/** A tensor of zeros, like a cleared gradient. */
export function zeros(kernels: Kernels, shape: Shape): Tensor {
  const tensor = nanTensor(kernels, shape);
  tensor.data.fill(0);
  return tensor;
}

/** A tensor with these elements, rounded to the kernels' precision. */
export function tensorFrom(kernels: Kernels, shape: Shape, elements: ArrayLike<number>): Tensor {
  const tensor = nanTensor(kernels, shape);
  if (elements.length !== tensor.data.length) throw new Error(`${elements.length} numbers for ${tensor.data.length}`);
  tensor.data.set(elements);
  return tensor;
}

/** A tensor from nested lists. */
export const tensorOf = (kernels: Kernels, nested: Nested): Tensor =>
  tensorFrom(kernels, shapeOf(nested), flat(nested));
