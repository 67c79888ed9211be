// The part of the kernel contract for measurements of a tensor: moments, histogram, finiteness.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { tensorFrom, tensorOf } from '../../support/tensors';
import { forShapes, roundoff } from './tensor-generator';
import { histogram, rowsOf, sum } from './oracle';

export function describeReductions(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('moments are sums and range', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const x = draw.tensor([rows, columns]);
      const elements = Array.from(x.data);
      const moments = kernels.moments(x);
      const n = elements.length + 2;
      expect(moments.sum).toBeAllclose(sum(elements), { atol: n * u * sum(elements.map(Math.abs)) });
      expect(moments.sumOfSquares).toBeAllclose(sum(elements.map((e) => e * e)), { rtol: n * u });
      const mean = sum(elements) / elements.length;
      expect(moments.sumOfSquaredDeviations).toBeAllclose(sum(elements.map((e) => (e - mean) ** 2)), {
        atol: 4 * n * u * sum(elements.map((e) => e * e)),
      });
      expect(moments.min).toBe(Math.min(...elements));
      expect(moments.max).toBe(Math.max(...elements));
      expect(kernels.absoluteSum(x)).toBeAllclose(sum(elements.map(Math.abs)), { rtol: n * u });
      expect(kernels.sum(x)).toBeAllclose(sum(elements), { atol: n * u * sum(elements.map(Math.abs)) });
      expect(kernels.sumOfSquares(x)).toBeAllclose(sum(elements.map((e) => e * e)), { rtol: n * u });
      expect(kernels.extremes(x)).toEqual({ min: Math.min(...elements), max: Math.max(...elements) });
    });
  });

  it.each([0, 4, 8])('moments are all NaN if element %i is', (at) => {
    const elements = [1, -2, 3, 4, 5, 6, 7, 8, 9];
    elements[at] = NaN;
    const x = tensorFrom(kernels, [9], elements);
    expect(kernels.moments(x)).toEqual({
      sum: NaN,
      sumOfSquares: NaN,
      sumOfSquaredDeviations: NaN,
      min: NaN,
      max: NaN,
    });
    expect(kernels.absoluteSum(x)).toBeNaN();
    expect([kernels.sum(x), kernels.sumOfSquares(x)]).toEqual([NaN, NaN]);
    expect(kernels.extremes(x)).toEqual({ min: NaN, max: NaN });
  });

  it('deviations do not cancel when the spread is small compared with the mean', () => {
    // Mean 4096, deviations of ±1/64: the difference of the sums of squares would have no digit left in float32.
    const x = tensorFrom(
      kernels,
      [64],
      Array.from({ length: 64 }, (_, i) => 4096 + (i % 2 ? 1 : -1) / 64),
    );
    expect(kernels.moments(x).sumOfSquaredDeviations).toBe(64 / 64 ** 2);
    expect(kernels.moments(tensorFrom(kernels, [7], new Array(7).fill(3))).sumOfSquaredDeviations).toBe(0);
  });

  it('moments of infinities have an infinite range', () => {
    const { min, max, sumOfSquares } = kernels.moments(tensorOf(kernels, [1, Infinity, 0, 3, -Infinity]));
    expect([min, max, sumOfSquares]).toEqual([-Infinity, Infinity, Infinity]);
  });

  describe('histogram', () => {
    const count = (elements: readonly number[], bins: number, lo: number, hi: number): number[] => {
      // Earlier contents must not matter.
      const counts = new Uint32Array(bins).fill(99);
      kernels.histogram(counts, tensorFrom(kernels, [elements.length], elements), lo, hi);
      return Array.from(counts);
    };

    it('compares with the edges, also for values on edges', () => {
      // Eighths over a range that is a power of two, so that every edge is exact in both precisions.
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 70 }),
          fc.constantFrom(1, 2, 8, 32),
          fc.integer({ min: -12, max: 4 }),
          fc.constantFrom(1, 4, 8, 16),
          (eighths, bins, lo, width) => {
            const elements = eighths.map((n) => n / 8);
            expect(count(elements, bins, lo, lo + width)).toEqual(histogram(elements, bins, lo, lo + width));
          },
        ),
      );
    });

    it('counts every element once over its own range', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = draw.tensor([rows, columns], 3);
        const { min, max } = kernels.moments(x);
        expect(sum(count(Array.from(x.data), 24, min, max))).toBe(rows * columns);
      });
    });

    it('puts the upper edge into the last bin and the lower into the first', () => {
      expect(count([0, 1, 1, 0.5], 4, 0, 1)).toEqual([1, 0, 1, 2]);
    });

    it('ignores NaN and values outside', () => {
      expect(count([NaN, -0.001, 1.001, Infinity, -Infinity, 0.3], 2, 0, 1)).toEqual([1, 0]);
    });

    it('puts all values into the first bin if the range is a single point', () => {
      expect(count([2, 2, 2, 3], 4, 2, 2)).toEqual([3, 0, 0, 0]);
    });

    it('loses nothing in the narrowest and the widest range', () => {
      const tiny = kernels.precision === 'float64' ? Number.MIN_VALUE : 2 ** -149;
      expect(sum(count([0, tiny], 8, 0, tiny))).toBe(2);
      const huge = kernels.precision === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38;
      expect(count([-huge, 0, huge], 4, -huge, huge)).toEqual([1, 0, 1, 1]);
    });
  });

  it('countOutside counts, by column, values that are not strictly between the bounds, including NaN', () => {
    const x = tensorOf(kernels, [
      [0, 0.5, NaN],
      [1, 0.25, 0.5],
      [-3, 0.75, Infinity],
      [0.125, 0.5, 0.5],
    ]);
    const counts = new Uint32Array(3).fill(99);
    kernels.countOutside(counts, x, 0, 1);
    expect(Array.from(counts)).toEqual([3, 0, 2]);
    forShapes(kernels, (draw, rows, columns) => {
      const y = draw.tensor([rows, columns]);
      const each = new Uint32Array(columns);
      kernels.countOutside(each, y, -1, 2);
      const outside = rowsOf(y.data, columns).map((row) => row.map((value) => (value <= -1 || value >= 2 ? 1 : 0)));
      expect(Array.from(each)).toEqual(outside[0].map((_, j) => sum(outside.map((row) => row[j]))));
    });
  });

  describe('countCorrect', () => {
    it('compares the indices of the largest prediction and target', () => {
      const target = tensorOf(kernels, [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0.2, 0.5, 0.3],
      ]);
      const prediction = tensorOf(kernels, [
        [3, 2, 1],
        [0, -1, -2],
        [-5, -4, -3],
        [1, 9, 2],
      ]);
      expect(kernels.countCorrect(prediction, target, 0)).toBe(3);
    });

    it('compares the sides of the threshold for a single output', () => {
      const target = tensorOf(kernels, [[1], [0], [1], [0]]);
      const prediction = tensorOf(kernels, [[0.75], [0.25], [0.25], [0.75]]);
      expect(kernels.countCorrect(prediction, target, 0.5)).toBe(2);
      expect(kernels.countCorrect(prediction, target, 0)).toBe(2);
      expect(kernels.countCorrect(prediction, target, 0.8)).toBe(2);
      expect(kernels.countCorrect(tensorOf(kernels, [[0.5]]), tensorOf(kernels, [[0]]), 0.5)).toBe(1);
    });

    it('never counts a NaN as correct', () => {
      const classes = tensorOf(kernels, [
        [1, 0],
        [0, 1],
      ]);
      expect(
        kernels.countCorrect(
          tensorOf(kernels, [
            [NaN, 0],
            [0, NaN],
          ]),
          classes,
          0,
        ),
      ).toBe(0);
      expect(kernels.countCorrect(tensorOf(kernels, [[NaN], [NaN]]), tensorOf(kernels, [[1], [0]]), 0)).toBe(0);
    });
  });

  it('firstNonFinite finds the first NaN or infinity at any index', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const x = draw.tensor([rows, columns]);
      expect(kernels.firstNonFinite(x)).toBe(-1);
      const at = (rows * 31 + columns) % (rows * columns);
      x.data[x.data.length - 1] = -Infinity;
      x.data[at] = NaN;
      expect(kernels.firstNonFinite(x)).toBe(at);
      x.data[at] = Infinity;
      expect(kernels.firstNonFinite(x)).toBe(at);
    });
  });
}
