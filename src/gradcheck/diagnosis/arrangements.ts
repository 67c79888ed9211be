// Right numbers in wrong places: transposed, one off, reversed, rows or columns in another order.
import type { Guess } from './guess';
import type { Trial } from './trial';
import { turned } from './windows';

type Place = (row: number, column: number) => readonly [row: number, column: number];

/** Tensors as a matrix: all dimensions after the first are the columns. */
export function* arrangements({ shape, numeric, analytic }: Trial): Iterable<Guess> {
  const size = numeric.length;
  if (size < 2) return;
  const rows = shape.length > 1 ? shape[0] : 1;
  const columns = size / rows;
  const from = (place: Place): Float64Array =>
    numeric.map((_, i) => {
      const [row, column] = place(Math.floor(i / columns), i % columns);
      return row < 0 || row >= rows || column < 0 || column >= columns ? 0 : numeric[row * columns + column];
    });
  const turn = (i: number, n: number): number => (i + n) % n;

  for (const [cause, words, values] of turned(numeric, shape)) yield { cause, words: `has windows each of which ${words}`, values };
  if (rows > 1 && columns > 1) {
    // Row-major of the transpose, which for a square is the transpose.
    const values = numeric.map((_, i) => numeric[(i % rows) * columns + Math.floor(i / rows)]);
    yield { cause: 'transposed', words: 'is transposed', values };
  }
  for (const by of [1, -1]) {
    const off = by === 1 ? 'next' : 'previous';
    yield { cause: 'shifted', words: `is one entry off: each holds what belongs to the ${off} one`, values: numeric.map((_, i) => numeric[turn(i + by, size)]) };
    yield { cause: 'shifted', words: `is one entry off: each holds what belongs to the ${off} one`, values: numeric.map((_, i) => numeric[i + by] ?? 0) };
    if (rows === 1 || columns === 1) continue;
    for (const wrapped of [true, false]) {
      const step = (i: number, n: number): number => (wrapped ? turn(i + by, n) : i + by);
      yield { cause: 'shifted', words: `is one row off: each holds what belongs to the ${off} one`, values: from((r, c) => [step(r, rows), c]) };
      yield { cause: 'shifted', words: `is one column off: each holds what belongs to the ${off} one`, values: from((r, c) => [r, step(c, columns)]) };
    }
  }
  yield { cause: 'reversed', words: 'is in reverse order', values: numeric.toReversed() };
  if (rows > 1 && columns > 1) {
    yield { cause: 'reversed', words: 'has its rows in reverse order', values: from((r, c) => [rows - 1 - r, c]) };
    yield { cause: 'reversed', words: 'has its columns in reverse order', values: from((r, c) => [r, columns - 1 - c]) };
  }
  yield* permutations(analytic, numeric, rows, columns);
}

/** Which row (then column) of the numeric gradient each of backprop's equals, if that is a permutation. */
function* permutations(analytic: Float64Array, numeric: Float64Array, rows: number, columns: number): Iterable<Guess> {
  const ways = [['rows', rows, columns, columns, 1], ['columns', columns, rows, 1, columns]] as const;
  for (const [name, count, length, apart, step] of ways) {
    // Matching compares all with all: larger ones are left to the other explanations.
    if (count < 2 || count > 512) continue;
    const order = matching(analytic, numeric, count, length, apart, step);
    if (!order) continue;
    const values = new Float64Array(numeric.length);
    order.forEach((source, i) => {
      for (let k = 0; k < length; k++) values[i * apart + k * step] = numeric[source * apart + k * step];
    });
    const moved = order.findIndex((source, i) => source !== i);
    const one = length === 1 ? 'entries' : name;
    yield { cause: 'permuted', words: `has its ${one} in another order: number ${moved} holds what belongs to number ${order[moved]}`, values };
  }
}

function matching(
  analytic: Float64Array, numeric: Float64Array,
  count: number, length: number, apart: number, step: number,
): number[] | null {
  const free = new Set(Array.from({ length: count }, (_, i) => i));
  const order: number[] = [];
  for (let i = 0; i < count; i++) {
    let best = -1;
    let least = Infinity;
    for (const j of free) {
      let distance = 0;
      for (let k = 0; k < length && distance < least; k++) distance += (analytic[i * apart + k * step] - numeric[j * apart + k * step]) ** 2;
      if (distance < least) [best, least] = [j, distance];
    }
    if (best < 0) return null;
    free.delete(best);
    order.push(best);
  }
  return order.every((source, i) => source === i) ? null : order;
}
