// Matrix products with a few hundred multiply-adds per row. Every element is summed over the inner dimension from first
// to last, as in the tiles of assembly/tile.ts; only which elements share a vector differs.
import {
  type Address,
  offsetBy,
  type WasmEmitter,
  fixedAddress,
  LANES,
  ELEMENT_BYTES,
  type Value,
} from './wasm-emitter';
import type { KernelEmitter } from './kernel-emitter';

/** Up to this many vector multiply-adds there is no loop. */
const UNROLL_LIMIT = 64;
/** Result vectors that are accumulated at a time. */
const ACCUMULATORS = 12;
/** Maximum number of vector multiply-adds in a loop body. */
const MAX_MADDS_PER_LOOP = 128;
/** Up to this many elements, b is kept in locals. */
const MAX_B_IN_LOCALS = 512;
/** Above this many elements of b, the kernel is called: it copies b and sums in blocks. */
const MAX_B_ELEMENTS = 4096;

interface MatmulOperands {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: (i: number, p: number) => Address;
  readonly b: (p: number, j: number) => Address;
  readonly out: Address;
  readonly accumulate: boolean;
  readonly bias: number;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Row and column of the elements of vector v of a result [m,n]; null past its end. */
const elementsOfVector = (v: number, m: number, n: number): ([number, number] | null)[] =>
  range(LANES).map((lane) => {
    const e = v * LANES + lane;
    return e < m * n ? [Math.floor(e / n), e % n] : null;
  });

/**
 * Stores sums as consecutive vectors of the result, starting with vector `from`: all together, so that V8 can join
 * vectors.
 */
function storeSums(
  emitter: WasmEmitter,
  { m, n, out, accumulate, bias }: MatmulOperands,
  from: number,
  sums: readonly Value[],
): void {
  const stores = sums.map((_, i) => {
    const first = (from + i) * LANES;
    return { to: offsetBy(out, first * ELEMENT_BYTES), count: Math.min(LANES, m * n - first) };
  });
  const values = sums.map((sum, i) => {
    const { to, count } = stores[i]!;
    const value = accumulate ? emitter.accumulate(emitter.load(to, count), sum) : sum;
    return bias
      ? emitter.accumulate(
          emitter.gather(
            elementsOfVector(from + i, m, n).map(
              (element) => element && fixedAddress(bias + element[1] * ELEMENT_BYTES),
            ),
          ),
          value,
        )
      : value;
  });
  values.forEach((value, i) => emitter.store(stores[i]!.to, value, stores[i]!.count));
}

/** A product without a loop. `factor` returns vector v of b if it is already in a local. */
function emitUnrolled(
  emitter: WasmEmitter,
  factors: MatmulOperands,
  bInLocals?: (v: number, p: number) => Value,
): void {
  const { m, n, k, a, b } = factors;
  const vectors = range(Math.ceil((m * n) / LANES));
  const elementPositions = vectors.map((v) => elementsOfVector(v, m, n));
  const factorOfA = (v: number, p: number): Value =>
    emitter.gather(elementPositions[v]!.map((place) => place && a(place[0], p)));
  const factorOfB =
    bInLocals ??
    ((v: number, p: number): Value => emitter.gather(elementPositions[v]!.map((place) => place && b(p, place[1]))));
  // With an inner dimension of 1 there is no sum, which keeps the sign of zero.
  if (k === 1) {
    storeSums(
      emitter,
      factors,
      0,
      vectors.map((v) => emitter.multiply(factorOfA(v, 0), factorOfB(v, 0))),
    );
    return;
  }
  for (let from = 0; from < vectors.length; from += ACCUMULATORS) {
    const group = vectors.slice(from, from + ACCUMULATORS);
    const sums = group.map(() => emitter.constant(0));
    for (let p = 0; p < k; p++)
      group.forEach((v, i) => (sums[i] = emitter.madd(factorOfA(v, p), factorOfB(v, p), sums[i]!)));
    storeSums(emitter, factors, from, sums);
  }
}

/** c[m,n] = a[m,k] b (+ bias), a few rows at a time. */
function emitRowBlocks(
  emitter: WasmEmitter,
  m: number,
  n: number,
  k: number,
  a: number,
  b: MatmulOperands['b'],
  c: number,
  accumulate: boolean,
  bias: number,
): boolean {
  const factors = (rows: number, from: Address, out: Address): MatmulOperands => ({
    m: rows,
    n,
    k,
    a: (i, p) => offsetBy(from, (i * k + p) * ELEMENT_BYTES),
    b,
    out,
    accumulate,
    bias,
  });
  if ((m * n * k) / LANES <= UNROLL_LIMIT) {
    emitUnrolled(emitter, factors(m, fixedAddress(a), fixedAddress(c)));
    return true;
  }
  if (n * k > MAX_B_IN_LOCALS) return false;
  // As many rows as make up whole vectors, and a few vectors.
  let rows = n % 4 === 0 ? 1 : n % 2 === 0 ? 2 : 4;
  while (rows * n < 4 * LANES && rows * n * k < UNROLL_LIMIT) rows *= 2;
  // With two rows at a time, values that end up in memory are read half as often.
  if (rows === 1 && n === 4 * LANES && 2 * n * k <= MAX_MADDS_PER_LOOP * LANES) rows = 2;
  const times = Math.floor(m / rows);
  if (times > 0) {
    const vectors = (rows * n) / LANES;
    const cache = new Map<string, Value>();
    const bVectors = range(vectors).map((v) => {
      const columns = elementsOfVector(v, rows, n).map((place) => (place ? place[1] : 0));
      return range(k).map((p) => {
        const key = `${columns.join()}:${p}`;
        const value = cache.get(key) ?? emitter.gather(columns.map((j) => b(p, j)));
        cache.set(key, value);
        return value;
      });
    });
    emitter.loop(
      times,
      [
        [c, rows * n * ELEMENT_BYTES],
        [a, rows * k * ELEMENT_BYTES],
      ],
      ([to, from]) => {
        emitUnrolled(emitter, factors(rows, from!, to!), (v, p) => bVectors[v]![p]!);
      },
    );
  }
  const done = times * rows;
  if (done < m)
    emitUnrolled(
      emitter,
      factors(m - done, fixedAddress(a + done * k * ELEMENT_BYTES), fixedAddress(c + done * n * ELEMENT_BYTES)),
    );
  return true;
}

export const matmul: KernelEmitter = (emitter, [c, a, b, m, n, k, add]) =>
  n * k <= MAX_B_ELEMENTS &&
  emitRowBlocks(emitter, m, n, k, a, (p, j) => fixedAddress(b + (p * n + j) * ELEMENT_BYTES), c, add === 1, 0);

export const matmulTransposedB: KernelEmitter = (emitter, [c, a, b, m, n, k, add, bias]) =>
  n * k <= MAX_B_ELEMENTS &&
  emitRowBlocks(emitter, m, n, k, a, (p, j) => fixedAddress(b + (j * k + p) * ELEMENT_BYTES), c, add === 1, bias);

/** c[m,n] = (or +=) a[k,m]ᵀ b[k,n]: summed over the rows of both. */
export const matmulTransposedA: KernelEmitter = (emitter, [c, a, b, m, n, k, add]) => {
  const factors = (fromA: Address, fromB: Address): MatmulOperands => ({
    m,
    n,
    k,
    a: (i, p) => offsetBy(fromA, (p * m + i) * ELEMENT_BYTES),
    b: (p, j) => offsetBy(fromB, (p * n + j) * ELEMENT_BYTES),
    out: fixedAddress(c),
    accumulate: add === 1,
    bias: 0,
  });
  if (k * n * ELEMENT_BYTES > 16384 || k * m * ELEMENT_BYTES > 65536) return false;
  const whole = factors(fixedAddress(a), fixedAddress(b));
  if (k === 1 || (m * n * k) / LANES <= UNROLL_LIMIT) {
    if ((m * n * k) / LANES > MAX_B_IN_LOCALS) return false;
    emitUnrolled(emitter, whole);
    return true;
  }
  const vectors = range(Math.ceil((m * n) / LANES));
  if (vectors.length > MAX_B_IN_LOCALS) return false;
  const elementPositions = vectors.map((v) => elementsOfVector(v, m, n));
  for (let from = 0; from < vectors.length; from += ACCUMULATORS) {
    const group = vectors.slice(from, from + ACCUMULATORS);
    const sums = group.map(() => emitter.variable(emitter.constant(0)));
    const unrolled = group.length <= 4 ? 4 : 2;
    const times = Math.floor(k / unrolled);
    const accumulateRange = (first: number, end: number, { a: atA, b: atB }: MatmulOperands): void => {
      const next = [...sums];
      for (let p = first; p < end; p++) {
        group.forEach((v, i) => {
          const x = emitter.gather(elementPositions[v]!.map((place) => place && atA(place[0], p)));
          const y = emitter.gather(elementPositions[v]!.map((place) => place && atB(p, place[1])));
          next[i] = emitter.madd(x, y, next[i]!);
        });
      }
      sums.forEach((sum, i) => emitter.assign(sum, next[i]!));
    };
    if (times > 0) {
      emitter.loop(
        times,
        [
          [a, unrolled * m * ELEMENT_BYTES],
          [b, unrolled * n * ELEMENT_BYTES],
        ],
        ([atA, atB]) => accumulateRange(0, unrolled, factors(atA!, atB!)),
      );
    }
    accumulateRange(times * unrolled, k, whole);
    storeSums(emitter, whole, from, sums);
  }
  return true;
};
