// What goes over the rows of a batch: their sums, and the gradient of cross-entropy for two classes.
import { after, type Address, type Code, fixed, LANES, SIZE, type Value, VECTOR } from './code';
import { shareOf } from './functions';
import type { Unit } from './unit';

/** Rows, or vectors, up to which there is no loop. */
const STRAIGHT = 16;
/** Rows of a loop at a time, and vectors of columns. */
const UNROLLED = 4;
const COLUMNS = 8;

/** out[n] += the sum of the rows of x[m,n], from the first to the last; several columns at a time, so that none waits alone. */
export const accumulateRows: Unit = (code, [out, x, m, n]) => {
  const row = n * SIZE;
  const columns = Array.from({ length: Math.ceil(n / LANES) }, (_, i) => i * LANES);
  for (let first = 0; first < columns.length; first += COLUMNS) {
    const group = columns.slice(first, first + COLUMNS);
    const count = (j: number): number => Math.min(LANES, n - j);
    let sums: Value[] = group.map(() => code.constant(0));
    const add = (at: (j: number) => Address): void => {
      sums = group.map((j, i) => code.add(sums[i], code.load(at(j), count(j))));
    };
    let done = 0;
    if (m > STRAIGHT) {
      const times = Math.floor(m / UNROLLED);
      const variables = sums.map((sum) => code.variable(sum));
      code.loop(times, [[x + group[0] * SIZE, UNROLLED * row]], ([from]) => {
        sums = variables;
        for (let i = 0; i < UNROLLED; i++) add((j) => after(from, (j - group[0]) * SIZE + i * row));
        variables.forEach((variable, i) => code.assign(variable, sums[i]));
      });
      sums = variables;
      done = times * UNROLLED;
    }
    for (; done < m; done++) add((j) => fixed(x + j * SIZE + done * row));
    group.forEach((j, i) => {
      const to = fixed(out + j * SIZE);
      code.store(to, code.add(code.load(to, count(j)), sums[i]), count(j));
    });
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
    const p = shareOf(code, code.add(share, swapped(code, targets, count)), difference);
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
