// What an operation is: a function that computes, and notes on the tape how to go back. Here are the two forms that
// most of them have: of one operand and of two, element by element.
import type { Tensor, TensorData } from '../kernels/tensor';
import { broadcastShape, gatherBack, placesIn } from './broadcast';
import { OperationError, type Tape } from './tape';

export type Operand = Tensor | number;

/** Computes on a tape. */
export type Operation<Arguments extends readonly unknown[]> = (tape: Tape, ...operands: Arguments) => Tensor;

export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  const { shape, data } = value as Partial<Tensor>;
  return Array.isArray(shape) && (data instanceof Float32Array || data instanceof Float64Array);
}

/** @throws OperationError for what is neither a tensor nor a number. */
export function operand(tape: Tape, name: string, value: Operand): Tensor {
  if (isTensor(value)) return value;
  if (typeof value !== 'number') {
    const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
    throw new OperationError(`${name} takes tensors and numbers, not ${what}.`);
  }
  const data = tape.room(1);
  data[0] = value;
  return { shape: [], data };
}

/** @throws OperationError for what is no tensor. */
export function tensor(name: string, value: Tensor): Tensor {
  if (isTensor(value)) return value;
  throw new OperationError(`${name} takes a tensor, not ${value === null ? 'null' : typeof value}.`);
}

/**
 * y = f(x) element by element.
 * @param slope dy/dx from x and y.
 * @param side where there is a kink: on which side of it x lies.
 */
export function unary(
  name: string, f: (x: number) => number, slope: (x: number, y: number) => number, side?: (x: number) => number,
): Operation<[Operand]> {
  return (tape, value) => {
    const x = operand(tape, name, value);
    const y = tape.room(x.data.length);
    for (let i = 0; i < y.length; i++) y[i] = f(x.data[i]);
    if (side && tape.reaches(x)) tape.noteSides(Int8Array.from(x.data, side));
    return tape.note([x], x.shape, y, (dy) => {
      const dx = tape.room(y.length);
      for (let i = 0; i < y.length; i++) dx[i] = dy[i] * slope(x.data[i], y[i]);
      return [dx];
    });
  };
}

/**
 * y = f(a, b) element by element, broadcast.
 * @param slopes dy/da and dy/db from a, b and y.
 * @param side where there is a kink: on which side of it a and b lie.
 */
export function binary(
  name: string,
  f: (a: number, b: number) => number,
  slopes: readonly [a: (a: number, b: number, y: number) => number, b: (a: number, b: number, y: number) => number],
  side?: (a: number, b: number) => number,
): Operation<[Operand, Operand]> {
  return (tape, left, right) => {
    const a = operand(tape, name, left);
    const b = operand(tape, name, right);
    const shape = broadcastShape(name, a.shape, b.shape);
    const inA = placesIn(a.shape, shape);
    const inB = placesIn(b.shape, shape);
    const size = shape.reduce((product, n) => product * n, 1);
    const ofA = (i: number): number => a.data[inA ? inA[i] : i];
    const ofB = (i: number): number => b.data[inB ? inB[i] : i];
    const y = tape.room(size);
    for (let i = 0; i < size; i++) y[i] = f(ofA(i), ofB(i));
    if (side && (tape.reaches(a) || tape.reaches(b))) tape.noteSides(Int8Array.from(y, (_, i) => side(ofA(i), ofB(i))));
    return tape.note([a, b], shape, y, (dy) => {
      const share = (slope: (a: number, b: number, y: number) => number, input: Tensor, places: Int32Array | null): TensorData | null => {
        if (!tape.reaches(input)) return null;
        const each = tape.room(size);
        for (let i = 0; i < size; i++) each[i] = dy[i] * slope(ofA(i), ofB(i), y[i]);
        return gatherBack(each, places, tape.room(input.data.length));
      };
      return [share(slopes[0], a, inA), share(slopes[1], b, inB)];
    });
  };
}
