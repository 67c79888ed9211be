// What every kernel must compute, as the slow and obvious loops of its formula. Plain arrays, one index at a time;
// shares nothing with any backend.

export type Matrix = readonly (readonly number[])[];

/** Row-major elements as rows. */
export function rowsOf(elements: ArrayLike<number>, columns: number): number[][] {
  const all = Array.from(elements);
  const rows: number[][] = [];
  for (let i = 0; i < all.length; i += columns) rows.push(all.slice(i, i + columns));
  return rows;
}

export const transpose = (a: Matrix): number[][] => a[0].map((_, j) => a.map((row) => row[j]));

/** A product, and the sum of the absolute terms, to which its rounding error is proportional. */
export function product(a: Matrix, b: Matrix): { values: number[]; sizes: number[] } {
  const values: number[] = [];
  const sizes: number[] = [];
  for (const row of a) {
    for (let j = 0; j < b[0].length; j++) {
      let sum = 0;
      let size = 0;
      for (let p = 0; p < row.length; p++) {
        sum += row[p] * b[p][j];
        size += Math.abs(row[p] * b[p][j]);
      }
      values.push(sum);
      sizes.push(size);
    }
  }
  return { values, sizes };
}

export const softmax = (row: readonly number[]): number[] => {
  const max = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};

/** Computed where exp cannot overflow, for either sign of x. */
export const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** log(softmax(row)), with the maximum subtracted first. */
export const logSoftmax = (row: readonly number[]): number[] => {
  const max = Math.max(...row);
  const logSum = Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0));
  return row.map((x) => x - max - logSum);
};

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Counts by comparing with each bin's edges; the last bin includes its upper edge. */
export function histogram(elements: readonly number[], bins: number, lo: number, hi: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const value of elements) {
    for (let bin = 0; bin < bins; bin++) {
      const from = lo + ((hi - lo) * bin) / bins;
      const to = lo + ((hi - lo) * (bin + 1)) / bins;
      if (value >= from && (value < to || (bin === bins - 1 && value <= hi))) {
        counts[bin]++;
        break;
      }
    }
  }
  return counts;
}
