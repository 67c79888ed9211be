// Matrix products of a few hundred multiply-adds to a row. Every element is the sum over the inner dimension from the first to
// the last, as the tiles of assembly/tile.ts have it; what else differs is only which elements share a vector.
import { type Address, after, type Code, fixed, LANES, SIZE, type Value } from './code';
import type { Unit } from './unit';

/** Multiply-adds of vectors up to which there is no loop. */
const STRAIGHT = 64;
/** Vectors of the result that are summed up at a time. */
const SUMS = 12;
/** Multiply-adds of vectors in a loop, at most. */
const MOST_AT_ONCE = 128;
/** Elements of b up to which it is held in locals. */
const MOST_HELD = 512;
/** Elements that are copied by other code, which sums in blocks. */
const MOST = 4096;

interface Factors {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: (i: number, p: number) => Address;
  readonly b: (p: number, j: number) => Address;
  readonly out: Address;
  readonly add: boolean;
  readonly bias: number;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Row and column of the elements of vector v of a result [m,n]; null past its end. */
const elements = (v: number, m: number, n: number): ([number, number] | null)[] =>
  range(LANES).map((lane) => {
    const e = v * LANES + lane;
    return e < m * n ? [Math.floor(e / n), e % n] : null;
  });

/** Stores sums as vectors of the result, the first of which is `from`: all at once, as the machine wants it to join vectors. */
function finish(code: Code, { m, n, out, add, bias }: Factors, from: number, sums: readonly Value[]): void {
  const places = sums.map((_, i) => {
    const first = (from + i) * LANES;
    return { to: after(out, first * SIZE), count: Math.min(LANES, m * n - first) };
  });
  const values = sums.map((sum, i) => {
    const { to, count } = places[i];
    const value = add ? code.add(code.load(to, count), sum) : sum;
    return bias ? code.add(code.gather(elements(from + i, m, n).map((element) => element && fixed(bias + element[1] * SIZE))), value) : value;
  });
  values.forEach((value, i) => code.store(places[i].to, value, places[i].count));
}

/** A product without a loop. `factor` gives b's part of vector v, where it is known already. */
function straight(code: Code, factors: Factors, heldB?: (v: number, p: number) => Value): void {
  const { m, n, k, a, b } = factors;
  const vectors = range(Math.ceil((m * n) / LANES));
  const places = vectors.map((v) => elements(v, m, n));
  const factorOfA = (v: number, p: number): Value => code.gather(places[v].map((place) => place && a(place[0], p)));
  const factorOfB = heldB ?? ((v: number, p: number): Value => code.gather(places[v].map((place) => place && b(p, place[1]))));
  // An inner dimension of 1 is a product and no sum: it keeps the sign of a zero.
  if (k === 1) {
    finish(code, factors, 0, vectors.map((v) => code.multiply(factorOfA(v, 0), factorOfB(v, 0))));
    return;
  }
  for (let from = 0; from < vectors.length; from += SUMS) {
    const group = vectors.slice(from, from + SUMS);
    const sums = group.map(() => code.constant(0));
    for (let p = 0; p < k; p++) group.forEach((v, i) => (sums[i] = code.madd(factorOfA(v, p), factorOfB(v, p), sums[i])));
    finish(code, factors, from, sums);
  }
}

/** c[m,n] = a[m,k] b (+ bias), a few rows at a time. */
function downRows(code: Code, m: number, n: number, k: number, a: number, b: Factors['b'], c: number, add: boolean, bias: number): boolean {
  const factors = (rows: number, from: Address, out: Address): Factors => ({
    m: rows, n, k, a: (i, p) => after(from, (i * k + p) * SIZE), b, out, add, bias,
  });
  if ((m * n * k) / LANES <= STRAIGHT) {
    straight(code, factors(m, fixed(a), fixed(c)));
    return true;
  }
  if (n * k > MOST_HELD) return false;
  // So many rows as are whole vectors, and a few vectors.
  let rows = n % 4 === 0 ? 1 : n % 2 === 0 ? 2 : 4;
  while (rows * n < 4 * LANES && rows * n * k < STRAIGHT) rows *= 2;
  // With two rows at a time, what is held in memory in the end is read half as often.
  if (rows === 1 && n === 4 * LANES && 2 * n * k <= MOST_AT_ONCE * LANES) rows = 2;
  const times = Math.floor(m / rows);
  if (times > 0) {
    const vectors = (rows * n) / LANES;
    const cache = new Map<string, Value>();
    const held = range(vectors).map((v) => {
      const columns = elements(v, rows, n).map((place) => (place ? place[1] : 0));
      return range(k).map((p) => {
        const key = `${columns.join()}:${p}`;
        const value = cache.get(key) ?? code.gather(columns.map((j) => b(p, j)));
        cache.set(key, value);
        return value;
      });
    });
    code.loop(times, [[c, rows * n * SIZE], [a, rows * k * SIZE]], ([to, from]) => {
      straight(code, factors(rows, from, to), (v, p) => held[v][p]);
    });
  }
  const done = times * rows;
  if (done < m) straight(code, factors(m - done, fixed(a + done * k * SIZE), fixed(c + done * n * SIZE)));
  return true;
}

export const matmul: Unit = (code, [c, a, b, m, n, k, add]) =>
  n * k <= MOST && downRows(code, m, n, k, a, (p, j) => fixed(b + (p * n + j) * SIZE), c, add === 1, 0);

export const matmulTransposedB: Unit = (code, [c, a, b, m, n, k, add, bias]) =>
  n * k <= MOST && downRows(code, m, n, k, a, (p, j) => fixed(b + (j * k + p) * SIZE), c, add === 1, bias);

/** c[m,n] = (or +=) a[k,m]ᵀ b[k,n]: summed up over the rows of both. */
export const matmulTransposedA: Unit = (code, [c, a, b, m, n, k, add]) => {
  const factors = (fromA: Address, fromB: Address): Factors => ({
    m, n, k,
    a: (i, p) => after(fromA, (p * m + i) * SIZE),
    b: (p, j) => after(fromB, (p * n + j) * SIZE),
    out: fixed(c), add: add === 1, bias: 0,
  });
  if (k * n * SIZE > 16384 || k * m * SIZE > 65536) return false;
  const whole = factors(fixed(a), fixed(b));
  if (k === 1 || (m * n * k) / LANES <= STRAIGHT) {
    if ((m * n * k) / LANES > MOST_HELD) return false;
    straight(code, whole);
    return true;
  }
  const vectors = range(Math.ceil((m * n) / LANES));
  if (vectors.length > MOST_HELD) return false;
  const places = vectors.map((v) => elements(v, m, n));
  for (let from = 0; from < vectors.length; from += SUMS) {
    const group = vectors.slice(from, from + SUMS);
    const sums = group.map(() => code.variable(code.constant(0)));
    const unrolled = group.length <= 4 ? 4 : 2;
    const times = Math.floor(k / unrolled);
    const some = (first: number, end: number, { a: atA, b: atB }: Factors): void => {
      const next = [...sums];
      for (let p = first; p < end; p++) {
        group.forEach((v, i) => {
          const x = code.gather(places[v].map((place) => place && atA(place[0], p)));
          const y = code.gather(places[v].map((place) => place && atB(p, place[1])));
          next[i] = code.madd(x, y, next[i]);
        });
      }
      sums.forEach((sum, i) => code.assign(sum, next[i]));
    };
    if (times > 0) {
      code.loop(times, [[a, unrolled * m * SIZE], [b, unrolled * n * SIZE]], ([atA, atB]) => some(0, unrolled, factors(atA, atB)));
    }
    some(times * unrolled, k, whole);
    finish(code, whole, from, sums);
  }
  return true;
};
