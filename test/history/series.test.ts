import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from '../../src/history/history';
import { Series } from '../../src/history/series';

const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 500 });

function seriesOf(list: readonly number[], capacity: number): Series {
  const series = new Series(capacity);
  list.forEach((value, step) => series.add(step, value));
  return series;
}

describe('a series', () => {
  it('holds exact values while there is room', () => {
    const { stride, steps, low, high } = seriesOf([3, 1, 2], 8).data();
    expect(stride).toBe(1);
    expect([...steps]).toEqual([0, 1, 2]);
    expect([...low]).toEqual([3, 1, 2]);
    expect([...high]).toEqual([3, 1, 2]);
  });

  it('stays within its capacity, and every bucket holds the extremes of its steps', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 40 }), (list, capacity) => {
        const { stride, steps, low, high } = seriesOf(list, capacity).data();
        expect(steps.length).toBeLessThanOrEqual(capacity);
        steps.forEach((step, i) => {
          const bucket = list.slice(step, step + stride);
          expect(low[i]).toBe(Math.min(...bucket));
          expect(high[i]).toBe(Math.max(...bucket));
        });
        expect(steps.length).toBe(Math.ceil(list.length / stride));
      }),
    );
  });

  it('does not change when steps are added again, in any order', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 40 }), fc.integer(), (list, capacity, salt) => {
        const series = seriesOf(list, capacity);
        const before = series.data();
        list.forEach((_, i) => {
          const step = Math.abs((i * 7919 + salt) % list.length);
          series.add(step, list[step]);
        });
        expect(series.data()).toEqual(before);
      }),
    );
  });

  it('adds many values at once like one by one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double()),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }),
        fc.integer({ min: 2, max: 40 }),
        (list, counts, capacity) => {
          const series = new Series(capacity);
          for (let from = 0, turn = 0; from < list.length; turn++) {
            const count = Math.min(counts[turn % counts.length], list.length - from);
            series.addAll(from, Float64Array.from(list).subarray(from), count);
            from += count;
          }
          expect(series.data()).toEqual(seriesOf(list, capacity).data());
        },
      ),
    );
  });

  it('merges increments into what one series would hold', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 50 }), (list, chunk) => {
        const whole = seriesOf(list, 4096);
        const merged = new Series(4096);
        for (let from = 0; from < list.length; from += chunk) {
          const part = new Series(4096);
          list.slice(from, from + chunk).forEach((value, i) => part.add(from + i, value));
          merged.merge(part.data());
        }
        expect(merged.data()).toEqual(whole.data());
      }),
    );
  });

  it('never keeps a value of a truncated step', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 40 }), fc.nat(500), (list, capacity, last) => {
        const series = seriesOf(list, capacity);
        series.truncate(last);
        const { stride, steps } = series.data();
        for (const step of steps) expect(step + stride - 1).toBeLessThanOrEqual(last);
      }),
    );
  });

  it('keeps NaN when buckets merge', () => {
    const { low, high } = seriesOf([1, NaN, 2, 3, 4], 3).data();
    expect(low[0]).toBeNaN();
    expect(high[0]).toBeNaN();
    expect(high.at(-1)).toBe(4);
  });
});

describe('a history', () => {
  it('makes the same copy from increments', () => {
    const host = new History(64);
    const panel = new History(64);
    for (let step = 0; step < 300; step++) {
      const increment = new History(16);
      increment.add('loss/batch', step, 1 / (step + 1));
      if (step % 10 === 0) increment.add('loss/test', step, step);
      host.merge(increment.data());
      panel.merge(increment.data());
    }
    expect(panel.data()).toEqual(host.data());
    const copy = new History(64);
    copy.merge(host.data());
    expect(copy.data()).toEqual(host.data());
  });
});
