// Axes of a shape, and a tensor seen along one of them.
import { formatShape, sizeOf, type Shape } from '../kernels/tensor';
import { OperationError } from './tape';

/** From 0 up; negative ones count from the last. @throws OperationError where there is no such axis. */
export function axisOf(name: string, shape: Shape, axis: number): number {
  const found = axis < 0 ? shape.length + axis : axis;
  if (Number.isInteger(found) && found >= 0 && found < shape.length) return found;
  throw new OperationError(`${name}: a tensor of shape ${formatShape(shape)} has no axis ${axis}.`);
}

/** A tensor as blocks before an axis, entries along it, and the numbers behind each: [outer, size, inner]. */
export interface Along {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

export const along = (shape: Shape, axis: number): Along => ({
  outer: sizeOf(shape.slice(0, axis)), size: shape[axis], inner: sizeOf(shape.slice(axis + 1)),
});

/** The shape with another size at an axis. */
export const withSize = (shape: Shape, axis: number, size: number): Shape => shape.map((n, i) => (i === axis ? size : n));
