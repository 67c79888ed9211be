// Right numbers in wrong places: transposed, off by one, reversed, rows or columns permuted.
import type { Hypotheses } from './hypothesis';
import type { GradientComparison } from '../gradient-comparison';
import { flippedWindows } from './windows';

type SourcePosition = (row: number, column: number) => readonly [row: number, column: number];

/** Treats a tensor as a matrix whose columns are all dimensions after the first. */
export function* elementOrderHypotheses({ shape, numeric, analytic }: GradientComparison): Hypotheses {
  const size = numeric.length;
  if (size < 2) return;
  const rows = shape.length > 1 ? shape[0]! : 1;
  const columns = size / rows;
  const rearrange = (place: SourcePosition): Float64Array =>
    numeric.map((_, i) => {
      const [row, column] = place(Math.floor(i / columns), i % columns);
      return row < 0 || row >= rows || column < 0 || column >= columns ? 0 : numeric[row * columns + column]!;
    });
  const wrap = (i: number, n: number): number => (i + n) % n;

  for (const [cause, description, values] of flippedWindows(numeric, shape))
    yield { cause, description: `has windows of which each ${description}`, values };
  if (rows > 1 && columns > 1) {
    // Row-major order of the transpose, which for a square matrix is the transpose.
    const values = numeric.map((_, i) => numeric[(i % rows) * columns + Math.floor(i / rows)]!);
    yield { cause: 'transposed', description: 'is transposed', values };
  }
  for (const [axis, count] of [
    ['rows', rows],
    ['columns', columns],
  ] as const)
    if (count === 2 && size > 2)
      yield {
        cause: 'swapped',
        description: `has its two ${axis} in each other's place`,
        values: rearrange((r, c) => (axis === 'rows' ? [1 - r, c] : [r, 1 - c])),
      };
  for (const by of [1, -1]) {
    const off = by === 1 ? 'next' : 'previous';
    yield {
      cause: 'shifted',
      description: `is one entry off: each holds what belongs to the ${off} one`,
      values: numeric.map((_, i) => numeric[wrap(i + by, size)]!),
    };
    yield {
      cause: 'shifted',
      description: `is one entry off: each holds what belongs to the ${off} one`,
      values: numeric.map((_, i) => numeric[i + by] ?? 0),
    };
    if (rows === 1 || columns === 1) continue;
    for (const wraps of [true, false]) {
      const step = (i: number, n: number): number => (wraps ? wrap(i + by, n) : i + by);
      yield {
        cause: 'shifted',
        description: `is one row off: each holds what belongs to the ${off} one`,
        values: rearrange((r, c) => [step(r, rows), c]),
      };
      yield {
        cause: 'shifted',
        description: `is one column off: each holds what belongs to the ${off} one`,
        values: rearrange((r, c) => [r, step(c, columns)]),
      };
    }
  }
  yield { cause: 'reversed', description: 'is in reverse order', values: numeric.toReversed() };
  if (rows > 1 && columns > 1) {
    yield {
      cause: 'reversed',
      description: 'has its rows in reverse order',
      values: rearrange((r, c) => [rows - 1 - r, c]),
    };
    yield {
      cause: 'reversed',
      description: 'has its columns in reverse order',
      values: rearrange((r, c) => [r, columns - 1 - c]),
    };
  }
  yield* permutationHypotheses(analytic, numeric, rows, columns);
}

/**
 * For each row (then column) of backprop's gradient, the equal one of the numeric gradient, if that is a permutation.
 */
function* permutationHypotheses(
  analytic: Float64Array,
  numeric: Float64Array,
  rows: number,
  columns: number,
): Hypotheses {
  const axes = [
    ['rows', rows, columns, columns, 1],
    ['columns', columns, rows, 1, columns],
  ] as const;
  for (const [name, count, length, stride, step] of axes) {
    // Compares all pairs, so larger ones are left to other explanations.
    if (count < 2 || count > 512) continue;
    const order = matchRows(analytic, numeric, count, length, stride, step);
    if (!order) continue;
    const values = new Float64Array(numeric.length);
    order.forEach((source, i) => {
      for (let k = 0; k < length; k++) values[i * stride + k * step] = numeric[source * stride + k * step]!;
    });
    const moved = order.findIndex((source, i) => source !== i);
    const one = length === 1 ? 'entries' : name;
    yield {
      cause: 'permuted',
      description: `has its ${one} in another order: number ${moved} holds what belongs to number ${order[moved]}`,
      values,
    };
  }
}

function matchRows(
  analytic: Float64Array,
  numeric: Float64Array,
  count: number,
  length: number,
  stride: number,
  step: number,
): number[] | null {
  const unmatched = new Set(Array.from({ length: count }, (_, i) => i));
  const order: number[] = [];
  for (let i = 0; i < count; i++) {
    let best = -1;
    let smallestDistance = Infinity;
    for (const j of unmatched) {
      let distance = 0;
      for (let k = 0; k < length && distance < smallestDistance; k++)
        distance += (analytic[i * stride + k * step]! - numeric[j * stride + k * step]!) ** 2;
      if (distance < smallestDistance) [best, smallestDistance] = [j, distance];
    }
    if (best < 0) return null;
    unmatched.delete(best);
    order.push(best);
  }
  return order.every((source, i) => source === i) ? null : order;
}
