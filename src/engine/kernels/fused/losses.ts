// Losses, summed up in double precision two at a time, as assembly/losses.ts does it.
import { type Address, after, type Code, fixed, SIZE, type Value } from './code';
import { expOfNegative, log1pOfShare } from './functions';
import type { Unit } from './unit';

/** Terms of two up to which there is no loop. */
const STRAIGHT = 8;

/** Returns the sum of `count` terms of two, of tensors that go on by so many bytes from one to the next. */
function sumOf(code: Code, count: number, tensors: readonly number[], step: number, term: (...at: Address[]) => Value): void {
  let sum = code.double(0);
  if (count <= STRAIGHT) {
    for (let i = 0; i < count; i++) sum = code.binary('addDoubles', sum, term(...tensors.map((from) => fixed(from + i * step))));
  } else {
    sum = code.variable(sum);
    code.loop(count, tensors.map((from) => [from, step]), (at) => code.assign(sum, code.binary('addDoubles', sum, term(...at))));
  }
  code.returnSum(sum);
}

export const squaredError: Unit = (code, [x, t, n]) => {
  if (n % 2 !== 0) return false;
  const two = (at: Address): Value => code.unary('promote', code.load(at, 2));
  sumOf(code, n / 2, [x, t], 2 * SIZE, (a, b) => {
    const difference = code.binary('subtractDoubles', two(a), two(b));
    return code.binary('multiplyDoubles', difference, difference);
  });
  return true;
};

/** For two classes, two rows at a time: the sum of the exponentials is 1 + exp(-|a - b|). */
export const crossEntropy: Unit = (code, [x, t, m, n]) => {
  if (n !== 2 || m % 2 !== 0) return false;
  const column = (at: Address, j: number): Value =>
    code.unary('promote', code.gather([after(at, j * SIZE), after(at, (2 + j) * SIZE), null, null]));
  sumOf(code, m / 2, [x, t], 4 * SIZE, (logits, targets) => {
    const [a, b] = [0, 1].map((j) => column(logits, j));
    const largest = code.binary('pmaxDoubles', a, b);
    const distance = code.unary('absoluteDoubles', code.binary('subtractDoubles', a, b));
    const e = expOfNegative(code, code.unary('negate', code.unary('demote', distance)));
    const logSum = log1pOfShare(code, code.unary('promote', e));
    const terms = [a, b].map((logit, j) => {
      const share = column(targets, j);
      const loss = code.binary('addDoubles', code.binary('subtractDoubles', largest, logit), logSum);
      return code.binary('andnot', code.binary('multiplyDoubles', share, loss), code.binary('equalDoubles', share, code.double(0)));
    });
    return code.binary('addDoubles', terms[0], terms[1]);
  });
  return true;
};
