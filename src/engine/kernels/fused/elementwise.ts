// What is done to each element by itself, as assembly/elementwise.ts does it.
import { type Address, after, type Code, LANES, type Value, VECTOR } from './code';
import { sigmoidOf, tanhOf } from './functions';
import type { Unit } from './unit';

/** Vectors up to which there is no loop, and those of a loop at a time. */
const STRAIGHT = 24;
const UNROLLED = 4;

/** out = f(inputs) for n elements; f may give a list, for several outs. */
function each(code: Code, n: number, outs: readonly number[], inputs: readonly number[], f: (...inputs: Value[]) => readonly Value[]): void {
  const some = (ats: readonly ((tensor: number) => Address)[], count: number): void => {
    // All are loaded before any is stored: only then may the machine join vectors.
    const loaded = ats.map((at) => inputs.map((_, i) => code.load(at(outs.length + i), count)));
    const found = loaded.map((values) => f(...values));
    outs.forEach((_, i) => ats.forEach((at, which) => code.store(at(i), found[which][i], count)));
  };
  const tensors = [...outs, ...inputs];
  const whole = Math.floor(n / LANES / UNROLLED);
  let done = 0;
  if (n > STRAIGHT * LANES) {
    const step = UNROLLED * VECTOR;
    // Constants and the like come before the loop by themselves.
    code.loop(whole, tensors.map((from) => [from, step]), (pointers) => {
      some(Array.from({ length: UNROLLED }, (_, i) => (tensor) => after(pointers[tensor], i * VECTOR)), LANES);
    });
    done = whole * UNROLLED * LANES;
  }
  for (; done < n; done += LANES) {
    const offset = done * (VECTOR / LANES);
    some([(tensor) => code.place(tensors[tensor] + offset)], Math.min(LANES, n - done));
  }
}

/** `value` where x > 0 or NaN, else 0. */
const whereActive = (code: Code, value: Value, x: Value): Value =>
  code.binary('andnot', value, code.binary('lessOrEqual', x, code.constant(0)));

export const fill: Unit = (code, [out, n], [value]) => each(code, n, [out], [], () => [code.constant(value)]);
export const copy: Unit = (code, [out, x, n]) => each(code, n, [out], [x], (z) => [z]);
export const scale: Unit = (code, [out, x, n], [by]) => each(code, n, [out], [x], (z) => [code.multiply(code.constant(by), z)]);
export const subtract: Unit = (code, [out, a, b, n]) => each(code, n, [out], [a, b], (x, y) => [code.subtract(x, y)]);

export const tanh: Unit = (code, [y, x, n]) => each(code, n, [y], [x], (z) => [tanhOf(code, z)]);
export const tanhBackward: Unit = (code, [dx, dy, y, n]) =>
  each(code, n, [dx], [dy, y], (d, z) => [code.multiply(d, code.subtract(code.constant(1), code.multiply(z, z)))]);
export const sigmoid: Unit = (code, [y, x, n]) => each(code, n, [y], [x], (z) => [sigmoidOf(code, z)]);
export const sigmoidBackward: Unit = (code, [dx, dy, y, n]) =>
  each(code, n, [dx], [dy, y], (d, z) => [code.multiply(code.multiply(d, z), code.subtract(code.constant(1), z))]);
export const relu: Unit = (code, [y, x, n], [by]) =>
  each(code, n, [y], [x], (z) => [whereActive(code, code.multiply(code.constant(by), z), z)]);
export const reluBackward: Unit = (code, [dx, dy, x, n], [by]) =>
  each(code, n, [dx], [dy, x], (d, z) => [whereActive(code, code.multiply(code.constant(by), d), z)]);

export const squaredErrorBackward: Unit = (code, [dx, x, t, n], [by]) =>
  each(code, n, [dx], [x, t], (z, target) => [code.multiply(code.constant(2 * by), code.subtract(z, target))]);

export const combine: Unit = (code, [out, x, n], [keep, by]) =>
  each(code, n, [out], [out, x], (y, z) => [code.madd(code.constant(by), z, code.multiply(code.constant(keep), y))]);
export const combineSquares: Unit = (code, [out, x, n], [keep, by]) =>
  each(code, n, [out], [out, x], (y, z) => [code.madd(code.multiply(code.constant(by), z), z, code.multiply(code.constant(keep), y))]);
export const addQuotient: Unit = (code, [out, x, d, n], [by, eps]) =>
  each(code, n, [out], [out, x, d], (y, z, square) => {
    const below = code.add(code.unary('squareRoot', square), code.constant(eps));
    return [code.add(y, code.binary('divide', code.multiply(code.constant(by), z), below))];
  });

export const sgd: Unit = (code, [w, g, n], [lr]) => each(code, n, [w], [g, w], (d, x) => [code.madd(code.constant(-lr), d, x)]);
export const sgdWithMomentum: Unit = (code, [w, g, v, n], [lr, momentum]) =>
  each(code, n, [v, w], [g, v, w], (d, speed, x) => {
    const velocity = code.madd(code.constant(momentum), speed, d);
    return [velocity, code.madd(code.constant(-lr), velocity, x)];
  });
