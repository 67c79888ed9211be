// Element-wise kernels, with the operations of assembly/elementwise.ts.
import { type Address, offsetBy, type WasmEmitter, LANES, type Value, VECTOR_BYTES } from './wasm-emitter';
import { emitSigmoid, emitTanh } from './functions';
import type { KernelEmitter } from './kernel-emitter';

/** Up to this many vectors there is no loop; above, the number of vectors per iteration. */
const UNROLL_LIMIT = 24;
const UNROLL_FACTOR = 4;

/** out = f(inputs) for n elements; f may return a list, for several outputs. */
function emitElementwise(
  emitter: WasmEmitter,
  n: number,
  outs: readonly number[],
  inputs: readonly number[],
  f: (...inputs: Value[]) => readonly Value[],
): void {
  const emitVectors = (ats: readonly ((tensor: number) => Address)[], count: number): void => {
    // Everything is loaded before anything is stored: only then can V8 join vectors.
    const loaded = ats.map((at) => inputs.map((_, i) => emitter.load(at(outs.length + i), count)));
    const results = loaded.map((values) => f(...values));
    outs.forEach((_, i) => ats.forEach((at, which) => emitter.store(at(i), results[which]![i]!, count)));
  };
  const tensors = [...outs, ...inputs];
  const whole = Math.floor(n / LANES / UNROLL_FACTOR);
  let done = 0;
  if (n > UNROLL_LIMIT * LANES) {
    const step = UNROLL_FACTOR * VECTOR_BYTES;
    // Constants are emitted before the loop automatically.
    emitter.loop(
      whole,
      tensors.map((from) => [from, step]),
      (pointers) => {
        emitVectors(
          Array.from({ length: UNROLL_FACTOR }, (_, i) => (tensor) => offsetBy(pointers[tensor]!, i * VECTOR_BYTES)),
          LANES,
        );
      },
    );
    done = whole * UNROLL_FACTOR * LANES;
  }
  for (; done < n; done += LANES) {
    const offset = done * (VECTOR_BYTES / LANES);
    emitVectors([(tensor) => emitter.addressOf(tensors[tensor]! + offset)], Math.min(LANES, n - done));
  }
}

/** `value` where x > 0 or NaN, else 0. */
const whereNotNegative = (emitter: WasmEmitter, value: Value, x: Value): Value =>
  emitter.binary('andnot', value, emitter.binary('lessOrEqual', x, emitter.constant(0)));

export const fill: KernelEmitter = (emitter, [out, n], [value]) =>
  emitElementwise(emitter, n, [out], [], () => [emitter.constant(value)]);
export const copy: KernelEmitter = (emitter, [out, x, n]) => emitElementwise(emitter, n, [out], [x], (z) => [z]);
export const scale: KernelEmitter = (emitter, [out, x, n], [by]) =>
  emitElementwise(emitter, n, [out], [x], (z) => [emitter.multiply(emitter.constant(by), z)]);
export const subtract: KernelEmitter = (emitter, [out, a, b, n]) =>
  emitElementwise(emitter, n, [out], [a, b], (x, y) => [emitter.subtract(x, y)]);

export const tanh: KernelEmitter = (emitter, [y, x, n]) =>
  emitElementwise(emitter, n, [y], [x], (z) => [emitTanh(emitter, z)]);
export const tanhBackward: KernelEmitter = (emitter, [dx, dy, y, n]) =>
  emitElementwise(emitter, n, [dx], [dy, y], (d, z) => [
    emitter.multiply(d, emitter.subtract(emitter.constant(1), emitter.multiply(z, z))),
  ]);
export const sigmoid: KernelEmitter = (emitter, [y, x, n]) =>
  emitElementwise(emitter, n, [y], [x], (z) => [emitSigmoid(emitter, z)]);
export const sigmoidBackward: KernelEmitter = (emitter, [dx, dy, y, n]) =>
  emitElementwise(emitter, n, [dx], [dy, y], (d, z) => [
    emitter.multiply(emitter.multiply(d, z), emitter.subtract(emitter.constant(1), z)),
  ]);
export const relu: KernelEmitter = (emitter, [y, x, n], [by]) =>
  emitElementwise(emitter, n, [y], [x], (z) => [
    whereNotNegative(emitter, emitter.multiply(emitter.constant(by), z), z),
  ]);
export const reluBackward: KernelEmitter = (emitter, [dx, dy, x, n], [by]) =>
  emitElementwise(emitter, n, [dx], [dy, x], (d, z) => [
    whereNotNegative(emitter, emitter.multiply(emitter.constant(by), d), z),
  ]);

export const squaredErrorBackward: KernelEmitter = (emitter, [dx, x, t, n], [by]) =>
  emitElementwise(emitter, n, [dx], [x, t], (z, target) => [
    emitter.multiply(emitter.constant(2 * by), emitter.subtract(z, target)),
  ]);

export const axpby: KernelEmitter = (emitter, [out, x, n], [keep, by]) =>
  emitElementwise(emitter, n, [out], [out, x], (y, z) => [
    emitter.madd(emitter.constant(by), z, emitter.multiply(emitter.constant(keep), y)),
  ]);
export const axpbySquared: KernelEmitter = (emitter, [out, x, n], [keep, by]) =>
  emitElementwise(emitter, n, [out], [out, x], (y, z) => [
    emitter.madd(emitter.multiply(emitter.constant(by), z), z, emitter.multiply(emitter.constant(keep), y)),
  ]);
export const addcdivSqrt: KernelEmitter = (emitter, [out, x, d, n], [by, eps]) =>
  emitElementwise(emitter, n, [out], [out, x, d], (y, z, square) => {
    const denominator = emitter.accumulate(emitter.unary('squareRoot', square), emitter.constant(eps));
    return [emitter.accumulate(y, emitter.binary('divide', emitter.multiply(emitter.constant(by), z), denominator))];
  });

export const sgd: KernelEmitter = (emitter, [w, g, n], [lr]) =>
  emitElementwise(emitter, n, [w], [g, w], (d, x) => [emitter.madd(emitter.constant(-lr), d, x)]);
export const sgdWithMomentum: KernelEmitter = (emitter, [w, g, v, n], [lr, momentum]) =>
  emitElementwise(emitter, n, [v, w], [g, v, w], (d, speed, x) => {
    const velocity = emitter.madd(emitter.constant(momentum), speed, d);
    return [velocity, emitter.madd(emitter.constant(-lr), velocity, x)];
  });
