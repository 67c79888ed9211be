// Losses, summed in float64 two terms at a time, as in assembly/losses.ts.
import { type Address, offsetBy, type WasmEmitter, fixedAddress, ELEMENT_BYTES, type Value } from './wasm-emitter';
import { expNonPositive, log1pUnit } from './functions';
import type { KernelEmitter } from './kernel-emitter';

/** Up to this many pairs of terms there is no loop. */
const UNROLL_LIMIT = 8;

/** Returns the sum of `count` pairs of terms, from tensors whose pairs are this many bytes apart. */
function emitSum(
  emitter: WasmEmitter,
  count: number,
  tensors: readonly number[],
  step: number,
  term: (...at: Address[]) => Value,
): void {
  let sum = emitter.double(0);
  if (count <= UNROLL_LIMIT) {
    for (let i = 0; i < count; i++)
      sum = emitter.binary('addDoubles', sum, term(...tensors.map((from) => fixedAddress(from + i * step))));
  } else {
    sum = emitter.variable(sum);
    emitter.loop(
      count,
      tensors.map((from) => [from, step]),
      (at) => emitter.assign(sum, emitter.binary('addDoubles', sum, term(...at))),
    );
  }
  emitter.returnSum(sum);
}

export const squaredError: KernelEmitter = (emitter, [x, t, n]) => {
  if (n % 2 !== 0) return false;
  const two = (at: Address): Value => emitter.unary('promote', emitter.load(at, 2));
  emitSum(emitter, n / 2, [x, t], 2 * ELEMENT_BYTES, (a, b) => {
    const difference = emitter.binary('subtractDoubles', two(a), two(b));
    return emitter.binary('multiplyDoubles', difference, difference);
  });
  return true;
};

/** For two classes, two rows at a time: the sum of the exponentials is 1 + exp(-|a - b|). */
export const crossEntropy: KernelEmitter = (emitter, [x, t, m, n]) => {
  if (n !== 2 || m % 2 !== 0) return false;
  const column = (at: Address, j: number): Value =>
    emitter.unary(
      'promote',
      emitter.gather([offsetBy(at, j * ELEMENT_BYTES), offsetBy(at, (2 + j) * ELEMENT_BYTES), null, null]),
    );
  emitSum(emitter, m / 2, [x, t], 4 * ELEMENT_BYTES, (logits, targets) => {
    const [a, b] = [0, 1].map((j) => column(logits, j)) as [number, number];
    const largest = emitter.binary('pmaxDoubles', a, b);
    const distance = emitter.unary('absoluteDoubles', emitter.binary('subtractDoubles', a, b));
    const e = expNonPositive(emitter, emitter.unary('negate', emitter.unary('demote', distance)));
    const logSum = log1pUnit(emitter, emitter.unary('promote', e));
    const terms = [a, b].map((logit, j) => {
      const probability = column(targets, j);
      const loss = emitter.binary('addDoubles', emitter.binary('subtractDoubles', largest, logit), logSum);
      return emitter.binary(
        'andnot',
        emitter.binary('multiplyDoubles', probability, loss),
        emitter.binary('equalDoubles', probability, emitter.double(0)),
      );
    });
    return emitter.binary('addDoubles', terms[0]!, terms[1]!);
  });
  return true;
};
