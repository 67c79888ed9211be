// Tensors for tests, in the memory of the kernels that will work on them.
import type { Kernels } from '../../src/engine/kernels/kernels';
import { MemoryPlan, type Shape, type Tensor } from '../../src/engine/kernels/tensor';
import { flat, type Nested, shapeOf } from './nested';

/** A tensor of this shape full of NaN: what is not written shows. */
export function unwritten(kernels: Kernels, shape: Shape): Tensor {
  const plan = new MemoryPlan(kernels.precision);
  plan.reserve(shape);
  const [tensor] = kernels.allocate(plan);
  tensor.data.fill(NaN);
  return tensor;
}

/** A tensor of zeros, as a cleared gradient is. */
export function zeros(kernels: Kernels, shape: Shape): Tensor {
  const tensor = unwritten(kernels, shape);
  tensor.data.fill(0);
  return tensor;
}

/** A tensor with these elements, rounded to the precision of the kernels. */
export function filled(kernels: Kernels, shape: Shape, elements: ArrayLike<number>): Tensor {
  const tensor = unwritten(kernels, shape);
  if (elements.length !== tensor.data.length) throw new Error(`${elements.length} numbers for ${tensor.data.length}`);
  tensor.data.set(elements);
  return tensor;
}

/** A tensor from nested lists. */
export const tensorOf = (kernels: Kernels, nested: Nested): Tensor => filled(kernels, shapeOf(nested), flat(nested));
