// An operation computes its result and records its backward function on the tape. Most are element-wise functions of
// one or two operands, which are defined here.
import type { Tensor, TensorData } from '../kernels/tensor';
import { broadcastShape, scatterAdd, broadcastIndices } from './broadcast';
import { OperationError, type Tape } from './tape';

export type Operand = Tensor | number;

/** Computes on a tape. */
export type Operation<Arguments extends readonly unknown[]> = (tape: Tape, ...operands: Arguments) => Tensor;

export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  const { shape, data } = value as Partial<Tensor>;
  return Array.isArray(shape) && (data instanceof Float32Array || data instanceof Float64Array);
}

/** @throws OperationError if the value is neither a tensor nor a number */
export function toTensor(tape: Tape, name: string, value: Operand): Tensor {
  if (isTensor(value)) return value;
  if (typeof value !== 'number') {
    const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
    throw new OperationError(`${name} takes tensors and numbers, not ${what}.`);
  }
  const data = tape.allocate(1);
  data[0] = value;
  return { shape: [], data };
}

/** @throws OperationError if the value is not a tensor */
export function requireTensor(name: string, value: Tensor): Tensor {
  if (isTensor(value)) return value;
  throw new OperationError(`${name} takes a tensor, not ${value === null ? 'null' : typeof value}.`);
}

/**
 * y = f(x) element by element.
 * @param derivative dy/dx from x and y
 * @param kinkSide for a function with a kink: the side of x
 */
export function unary(
  name: string,
  f: (x: number) => number,
  derivative: (x: number, y: number) => number,
  kinkSide?: (x: number) => number,
): Operation<[Operand]> {
  return (tape, value) => {
    const x = toTensor(tape, name, value);
    const y = tape.allocate(x.data.length);
    for (let i = 0; i < y.length; i++) y[i] = f(x.data[i]!);
    if (kinkSide && tape.isTracked(x)) tape.recordKinkSides(Int8Array.from(x.data, kinkSide));
    return tape.record([x], x.shape, y, (dy) => {
      const dx = tape.allocate(y.length);
      for (let i = 0; i < y.length; i++) dx[i] = dy[i]! * derivative(x.data[i]!, y[i]!);
      return [dx];
    });
  };
}

/**
 * y = f(a, b) element by element, broadcast.
 * @param derivatives dy/da and dy/db from a, b and y
 * @param kinkSide for a function with a kink: the side of a and b
 */
export function binary(
  name: string,
  f: (a: number, b: number) => number,
  derivatives: readonly [
    a: (a: number, b: number, y: number) => number,
    b: (a: number, b: number, y: number) => number,
  ],
  kinkSide?: (a: number, b: number) => number,
): Operation<[Operand, Operand]> {
  return (tape, left, right) => {
    const a = toTensor(tape, name, left);
    const b = toTensor(tape, name, right);
    const shape = broadcastShape(name, a.shape, b.shape);
    const indicesA = broadcastIndices(a.shape, shape);
    const indicesB = broadcastIndices(b.shape, shape);
    const size = shape.reduce((product, n) => product * n, 1);
    const valueA = (i: number): number => a.data[indicesA ? indicesA[i]! : i]!;
    const valueB = (i: number): number => b.data[indicesB ? indicesB[i]! : i]!;
    const y = tape.allocate(size);
    for (let i = 0; i < size; i++) y[i] = f(valueA(i), valueB(i));
    if (kinkSide && (tape.isTracked(a) || tape.isTracked(b)))
      tape.recordKinkSides(Int8Array.from(y, (_, i) => kinkSide(valueA(i), valueB(i))));
    return tape.record([a, b], shape, y, (dy) => {
      const share = (
        slope: (a: number, b: number, y: number) => number,
        input: Tensor,
        places: Int32Array | null,
      ): TensorData | null => {
        if (!tape.isTracked(input)) return null;
        const each = tape.allocate(size);
        for (let i = 0; i < size; i++) each[i] = dy[i]! * slope(valueA(i), valueB(i), y[i]!);
        return scatterAdd(each, places, tape.allocate(input.data.length));
      };
      return [share(derivatives[0], a, indicesA), share(derivatives[1], b, indicesB)];
    });
  };
}
