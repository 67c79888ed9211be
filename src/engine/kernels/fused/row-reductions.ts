// Reductions over the rows of a batch: their sum, and the gradient of cross-entropy for two classes.
import {
  offsetBy,
  type Address,
  type WasmEmitter,
  fixedAddress,
  LANES,
  ELEMENT_BYTES,
  type Value,
  VECTOR_BYTES,
} from './wasm-emitter';
import { scaledSigmoid } from './functions';
import type { KernelEmitter } from './kernel-emitter';

/** Up to this many rows or vectors there is no loop. */
const UNROLL_LIMIT = 16;
/** Rows per loop iteration, and vectors of columns. */
const UNROLL_FACTOR = 4;
const COLUMN_VECTORS = 8;

/** out[n] += the sum of the rows of x[m,n], from first to last; several columns at a time, to hide latency. */
export const accumulateRows: KernelEmitter = (emitter, [out, x, m, n]) => {
  const row = n * ELEMENT_BYTES;
  const columns = Array.from({ length: Math.ceil(n / LANES) }, (_, i) => i * LANES);
  for (let first = 0; first < columns.length; first += COLUMN_VECTORS) {
    const group = columns.slice(first, first + COLUMN_VECTORS);
    const count = (j: number): number => Math.min(LANES, n - j);
    let sums: Value[] = group.map(() => emitter.constant(0));
    const add = (at: (j: number) => Address): void => {
      sums = group.map((j, i) => emitter.accumulate(sums[i]!, emitter.load(at(j), count(j))));
    };
    let done = 0;
    if (m > UNROLL_LIMIT) {
      const times = Math.floor(m / UNROLL_FACTOR);
      const variables = sums.map((sum) => emitter.variable(sum));
      emitter.loop(times, [[x + group[0]! * ELEMENT_BYTES, UNROLL_FACTOR * row]], ([from]) => {
        sums = variables;
        for (let i = 0; i < UNROLL_FACTOR; i++) add((j) => offsetBy(from!, (j - group[0]!) * ELEMENT_BYTES + i * row));
        variables.forEach((variable, i) => emitter.assign(variable, sums[i]!));
      });
      sums = variables;
      done = times * UNROLL_FACTOR;
    }
    for (; done < m; done++) add((j) => fixedAddress(x + j * ELEMENT_BYTES + done * row));
    group.forEach((j, i) => {
      const to = fixedAddress(out + j * ELEMENT_BYTES);
      emitter.store(to, emitter.accumulate(emitter.load(to, count(j)), sums[i]!), count(j));
    });
  }
};

/** With two classes, softmax is the sigmoid of the difference. */
export const crossEntropyBackward: KernelEmitter = (emitter, [dx, x, t, m, n], [by]) => {
  if (n !== 2) return false;
  const scale = emitter.constant(by);
  const emitVector = (at: readonly Address[], count: number): void => {
    const [to, logits, targets] = at as readonly [Address, Address, Address];
    const z = emitter.load(logits, count),
      target = emitter.load(targets, count);
    const difference = emitter.subtract(z, swapPairs(emitter, logits, count));
    const p = scaledSigmoid(emitter, emitter.accumulate(target, swapPairs(emitter, targets, count)), difference);
    emitter.store(to, emitter.multiply(scale, emitter.subtract(p, target)), count);
  };
  const vectors = Math.floor((m * n) / LANES);
  let done = 0;
  if (vectors > UNROLL_LIMIT) {
    emitter.loop(
      vectors,
      [dx, x, t].map((from) => [from, VECTOR_BYTES]),
      (pointers) => emitVector(pointers, LANES),
    );
    done = vectors * LANES;
  }
  for (; done < m * n; done += LANES)
    emitVector(
      [dx, x, t].map((from) => fixedAddress(from + done * ELEMENT_BYTES)),
      Math.min(LANES, m * n - done),
    );
  return true;
};

/** Swaps neighbors in pairs. */
const swapPairs = (emitter: WasmEmitter, at: Address, count: number): Value =>
  emitter.gather([1, 0, 3, 2].map((lane, i) => (i < count ? offsetBy(at, lane * ELEMENT_BYTES) : null)));
