// Axes of a shape, and a tensor as slices along one of them.
import { formatShape, numel, type Shape } from '../kernels/tensor';
import { OperationError } from './tape';

/** A non-negative axis; negative ones count from the last. @throws OperationError if there is no such axis */
export function normalizeAxis(name: string, shape: Shape, axis: number): number {
  const found = axis < 0 ? shape.length + axis : axis;
  if (Number.isInteger(found) && found >= 0 && found < shape.length) return found;
  throw new OperationError(`${name}: a tensor of shape ${formatShape(shape)} has no axis ${axis}.`);
}

/** A tensor as [outer, size, inner]: the axes before an axis, the axis itself, and the axes after it. */
export interface AxisSplit {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

export const splitAtAxis = (shape: Shape, axis: number): AxisSplit => ({
  outer: numel(shape.slice(0, axis)),
  size: shape[axis]!,
  inner: numel(shape.slice(axis + 1)),
});

/** The shape with another size at an axis. */
export const withAxisSize = (shape: Shape, axis: number, size: number): Shape =>
  shape.map((n, i) => (i === axis ? size : n));
