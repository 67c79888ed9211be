import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Series } from '../../../src/history/series';
import { envelope, extent, bucketAt } from '../../../webview/charts/envelope';
import { bucketNote } from '../../../webview/charts/line-chart';
import { seriesTable, allSteps } from '../../../webview/charts/data-table';
import { toTsv } from '../../../webview/export/table-export';

const series = (values: readonly number[], capacity = 4096) => {
  const all = new Series(capacity);
  values.forEach((value, step) => all.add(step, value));
  return all.data();
};

describe('the envelope', () => {
  it('contains every value if there is room', () => {
    expect(envelope(series([3, 1, 2]), 3, 100)).toEqual([
      { x: 0, y: 3 },
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ]);
  });

  it('keeps a single spike among thousands of steps', () => {
    const values = Array.from({ length: 4000 }, () => 1);
    values[1234] = 99;
    const points = envelope(series(values), 4000, 200);
    expect(points.length).toBeLessThanOrEqual(402);
    const spike = points.find(({ y }) => y === 99);
    expect(spike?.x).toBeGreaterThan(1214);
    expect(spike?.x).toBeLessThan(1254);
  });

  it('loses no extreme, whatever the values, widths and strides', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 2, max: 400 }),
        (values, columns, capacity) => {
          const points = envelope(series(values, capacity), values.length, columns);
          expect(Math.max(...points.map(({ y }) => y))).toBe(Math.max(...values));
          expect(Math.min(...points.map(({ y }) => y))).toBe(Math.min(...values));
          for (let i = 1; i < points.length; i++) expect(points[i].x).toBeGreaterThanOrEqual(points[i - 1].x);
        },
      ),
    );
  });

  it('breaks the line at NaN', () => {
    expect(envelope(series([1, NaN, 2]), 3, 100).map(({ y }) => y)).toEqual([1, NaN, 2]);
    const many = Array.from({ length: 1000 }, (_, i) => (i === 500 ? NaN : 1));
    expect(envelope(series(many), 1000, 50).some(({ y }) => Number.isNaN(y))).toBe(true);
  });
});

describe('the range of the data', () => {
  it('excludes values that are not on the axis', () => {
    const data = series([0.5, 0, -2, Infinity, NaN, 8]);
    expect(extent([data], false)).toEqual({ min: -2, max: 8 });
    expect(extent([data], true)).toEqual({ min: 0.5, max: 8 });
    expect(extent([undefined, series([])], false)).toBeNull();
    expect(extent([series([0])], true)).toBeNull();
  });
});

describe('reading a step', () => {
  it('returns the value there, or the last one before it', () => {
    const sparse = new Series();
    sparse.add(0, 5);
    sparse.add(8, 6);
    const data = sparse.data();
    expect(bucketAt(data, 8)).toEqual({ step: 8, last: 8, low: 6, high: 6 });
    expect(bucketAt(data, 7)).toEqual({ step: 0, last: 0, low: 5, high: 5 });
    expect(bucketAt(data, 100)?.step).toBe(8);
    expect(bucketAt(series([]), 3)).toBeNull();
    expect(bucketAt(undefined, 3)).toBeNull();
  });

  it('says which steps a value belongs to, if not only the requested one', () => {
    const at = (step: number, last: number, low: number, high: number) => ({ step, last, low, high });
    expect(bucketNote(null, 4).mark).toBe('');
    expect(bucketNote(at(4, 4, 1, 1), 4).mark).toBe('');
    expect(bucketNote(at(0, 0, 1, 1), 4)).toEqual({ title: 'last measured at step 0', mark: '0' });
    expect(bucketNote(at(4, 7, 1, 2), 5)).toEqual({ title: 'smallest and largest of steps 4–7', mark: '4–7' });
    expect(bucketNote(at(4, 7, 1, 1), 5)).toEqual({ title: 'of steps 4–7', mark: '4–7' });
    expect(bucketNote(at(4, 7, 1, 2), 9).mark).toBe('4–7');
  });
});

describe('the table behind a chart', () => {
  it('has every step of any column, and every digit in its copy', () => {
    const [a, b] = [new Series(), new Series()];
    a.add(1, 0.1 + 0.2);
    a.add(2, NaN);
    b.add(2, -1e-300);
    b.add(4, 7);
    const columns = [
      { name: 'a', data: a.data() },
      { name: 'b', data: b.data() },
      { name: 'c', data: undefined },
    ];
    expect(allSteps(columns)).toEqual([1, 2, 4]);
    expect(toTsv(seriesTable(columns))).toBe('step\ta\tb\tc\n1\t0.30000000000000004\t\t\n2\tNaN\t-1e-300\t\n4\t\t7\t');
  });

  it('has a separate column for each end of a range', () => {
    const sheet = seriesTable([{ name: 'a', data: series([3, 1, 2, 5], 2) }]);
    expect(sheet.headers).toEqual(['step', 'a smallest', 'a largest']);
    expect(sheet.rows).toEqual([
      [0, 1, 3],
      [2, 2, 5],
    ]);
  });
});
