// What goes over the rows of a batch: their sums, and the gradient of cross-entropy for two classes.
import { after, type Address, type Code, fixed, LANES, SIZE, type Value, VECTOR } from './code';
import { sigmoidOf } from './functions';
import type { Unit } from './unit';

/** Rows, or vectors, up to which there is no loop. */
const STRAIGHT = 16;

/** out[n] += the sum of the rows of x[m,n], from the first to the last. */
export const accumulateRows: Unit = (code, [out, x, m, n]) => {
  const zero = code.constant(0);
  for (let j = 0; j < n; j += LANES) {
    const count = Math.min(LANES, n - j);
    const row = n * SIZE;
    const from = x + j * SIZE;
    let sum: Value = zero;
    let done = 0;
    if (m > STRAIGHT) {
      const unrolled = 4;
      const times = Math.floor(m / unrolled);
      sum = code.variable(zero);
      code.loop(times, [[from, unrolled * row]], ([at]) => {
        let next = sum;
        for (let i = 0; i < unrolled; i++) next = code.add(next, code.load(after(at, i * row), count));
        code.assign(sum, next);
      });
      done = times * unrolled;
    }
    for (; done < m; done++) sum = code.add(sum, code.load(fixed(from + done * row), count));
    const to = fixed(out + j * SIZE);
    code.store(to, code.add(code.load(to, count), sum), count);
  }
};

/** With two classes softmax is the sigmoid of the difference. */
export const crossEntropyBackward: Unit = (code, [dx, x, t, m, n], [by]) => {
  if (n !== 2) return false;
  const scale = code.constant(by);
  const one = (at: readonly Address[], count: number): void => {
    const [to, logits, targets] = at;
    const z = code.load(logits, count), share = code.load(targets, count);
    const difference = code.subtract(z, swapped(code, logits, count));
    const p = code.multiply(sigmoidOf(code, difference), code.add(share, swapped(code, targets, count)));
    code.store(to, code.multiply(scale, code.subtract(p, share)), count);
  };
  const vectors = Math.floor((m * n) / LANES);
  let done = 0;
  if (vectors > STRAIGHT) {
    code.loop(vectors, [dx, x, t].map((from) => [from, VECTOR]), (pointers) => one(pointers, LANES));
    done = vectors * LANES;
  }
  for (; done < m * n; done += LANES) one([dx, x, t].map((from) => fixed(from + done * SIZE)), Math.min(LANES, m * n - done));
  return true;
};

/** Neighbours in pairs change places. */
const swapped = (code: Code, at: Address, count: number): Value =>
  code.gather([1, 0, 3, 2].map((lane, i) => (i < count ? after(at, lane * SIZE) : null)));
