// Views of tensors whose first axis is time, [time, batch, …], and of weights with one block of rows for each gate.
// They are cached per tensor, so that training steps allocate nothing.
import { cached } from '../kernels/cached';
import { numel, type Shape1, type Shape2, type Tensor, view } from '../kernels/tensor';

/** Consecutive parts of a tensor, each of this shape. */
const parts = ({ data }: Tensor, count: number, shape: readonly number[]): readonly Tensor[] =>
  Array.from({ length: count }, (_, i) => ({
    shape,
    data: data.subarray(i * numel(shape), (i + 1) * numel(shape)),
  }));

/** The matrix [batch, …] of each time step. */
export const timeSteps = cached((tensor: Tensor) => {
  const [time, ...shape] = tensor.shape as Shape1;
  return parts(tensor, time, shape);
});

/** The time steps of each tensor of a record. */
export const timeStepsByName = cached(
  (tensors: Readonly<Record<string, Tensor>>): Readonly<Record<string, readonly Tensor[]>> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, timeSteps(tensor)])),
);

/** All time steps as one matrix [time · batch, features]. */
export const allTimeSteps = cached((tensor: Tensor): Tensor => {
  const [time, batch, ...rest] = tensor.shape as Shape2;
  return view(tensor, [time * batch, ...rest]);
});

/** The same without the first time step, and without the last. */
export const withoutFirst = cached((tensor: Tensor): Tensor => {
  const [time, batch, ...rest] = tensor.shape as Shape2;
  return { shape: [(time - 1) * batch, ...rest], data: tensor.data.subarray(batch * numel(rest)) };
});
export const withoutLast = cached((tensor: Tensor): Tensor => {
  const [time, batch, ...rest] = tensor.shape as Shape2;
  return view(tensor, [(time - 1) * batch, ...rest]);
});

/** Weights [gates · hidden, inputs] or a bias [gates · hidden], as one tensor for each gate. */
export const gateBlocks = (gates: number): ((weights: Tensor) => readonly Tensor[]) =>
  cached((weights: Tensor) => {
    const [rows, ...rest] = weights.shape as Shape1;
    return parts(weights, gates, [rows / gates, ...rest]);
  });
