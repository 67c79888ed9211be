import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decadeBounds,
  decadeTicks,
  linearBounds,
  SHRINK_DELAY_MS,
  stepAxisEnd,
  StickyRange,
} from '../../../webview/charts/axes';
import { type LineSeries, MAX_LINES, limitLines } from '../../../webview/charts/line-chart';
import { spreadLabels } from '../../../webview/charts/overlay';

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('bounds', () => {
  it('are round numbers around the data', () => {
    expect(linearBounds({ min: 0.03, max: 0.72 })).toEqual({ min: 0, max: 0.8 });
    expect(linearBounds({ min: 0, max: 1 })).toEqual({ min: 0, max: 1 });
    expect(decadeBounds({ min: 3e-4, max: 2e-1 })).toEqual({ min: 1e-4, max: 1 });
    expect(decadeBounds({ min: 1e-3, max: 1e-3 })).toEqual({ min: 1e-3, max: 1e-2 });
  });

  it('contain the data and are not much wider', () => {
    fc.assert(
      fc.property(finite(-1e6, 1e6), finite(-1e6, 1e6), (a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const bounds = linearBounds({ min, max });
        const slack = (bounds.max - bounds.min) * 1e-6;
        expect(bounds.min).toBeLessThanOrEqual(min + slack);
        expect(bounds.max).toBeGreaterThanOrEqual(max - slack);
        if (max - min > 1e-8 * Math.max(Math.abs(min), Math.abs(max)) && max - min > 1e-299)
          expect(bounds.max - bounds.min).toBeLessThanOrEqual((max - min) * 2.01);
        expect(bounds.max).toBeGreaterThan(bounds.min);
      }),
    );
  });

  it('of a logarithmic axis are whole decades', () => {
    fc.assert(
      fc.property(finite(-300, 300), finite(0, 20), (exponent, decades) => {
        const data = { min: 10 ** exponent, max: 10 ** Math.min(300, exponent + decades) };
        const { min, max } = decadeBounds(data);
        expect(Math.log10(min)).toBeCloseTo(Math.round(Math.log10(min)), 9);
        expect(Math.log10(max)).toBeCloseTo(Math.round(Math.log10(max)), 9);
        expect(min).toBeLessThanOrEqual(data.min * 1.0001);
        expect(max).toBeGreaterThanOrEqual(data.max * 0.9999);
      }),
    );
  });

  it('of steps end at a round number, never beyond the run', () => {
    expect([1, 9, 11, 300, 301, 799].map((last) => stepAxisEnd(last, 800))).toEqual([10, 10, 12, 300, 400, 800]);
    expect(stepAxisEnd(1, 4)).toBe(4);
    expect(stepAxisEnd(1, 1)).toBe(1);
  });
});

describe('an axis that does not jitter', () => {
  it('grows at once', () => {
    const range = StickyRange.linear();
    expect(range.fit({ min: 0, max: 1 }, 0)).toEqual({ min: 0, max: 1 });
    expect(range.fit({ min: 0, max: 3.2 }, 1)?.max).toBe(4);
  });

  it('stays while the data moves inside it', () => {
    const range = StickyRange.linear();
    const first = range.fit({ min: 0, max: 1 }, 0);
    for (let t = 0; t < 100; t++) expect(range.fit({ min: 0.1, max: 0.7 + 0.2 * Math.sin(t) }, t * 100)).toEqual(first);
  });

  it('shrinks only after the data has been small for a while', () => {
    const range = StickyRange.decades();
    range.fit({ min: 1e-8, max: 1 }, 0);
    expect(range.fit({ min: 0.1, max: 0.9 }, 10)).toEqual({ min: 1e-8, max: 1 });
    expect(range.fit({ min: 0.1, max: 0.9 }, SHRINK_DELAY_MS)).toEqual({ min: 1e-8, max: 1 });
    expect(range.fit({ min: 0.1, max: 0.9 }, SHRINK_DELAY_MS + 10)).toEqual({ min: 0.1, max: 1 });
  });

  it('waits again if the data was large in between', () => {
    const range = StickyRange.linear();
    range.fit({ min: 0, max: 10 }, 0);
    range.fit({ min: 0, max: 1 }, 10);
    range.fit({ min: 0, max: 9 }, SHRINK_DELAY_MS);
    expect(range.fit({ min: 0, max: 1 }, SHRINK_DELAY_MS + 20)?.max).toBe(10);
  });

  it('keeps its range without data', () => {
    const range = StickyRange.linear();
    expect(range.fit(null, 0)).toBeNull();
    range.fit({ min: 0, max: 1 }, 0);
    expect(range.fit(null, 1)).toEqual({ min: 0, max: 1 });
    range.reset();
    expect(range.fit(null, 2)).toBeNull();
  });
});

it('labels decades evenly, and not too many', () => {
  expect(decadeTicks({ min: 1e-6, max: 1 }, 7)).toEqual([-6, -5, -4, -3, -2, -1, 0]);
  expect(decadeTicks({ min: 1e-6, max: 1 }, 4)).toEqual([-6, -4, -2, 0]);
});

describe('labels at the ends of lines', () => {
  it('do not overlap, keep their order and stay inside', () => {
    fc.assert(
      fc.property(fc.array(finite(-50, 250), { minLength: 1, maxLength: 12 }), (wanted) => {
        const placed = spreadLabels(wanted, 13, 0, 200);
        const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
        for (let i = 1; i < order.length; i++) {
          expect(placed[order[i]] - placed[order[i - 1]]).toBeGreaterThanOrEqual(13 - 1e-9);
        }
        for (const y of placed) {
          expect(y).toBeGreaterThanOrEqual(6.5 - 1e-9);
          expect(y).toBeLessThanOrEqual(193.5 + 1e-9);
        }
      }),
    );
  });

  it('move only if necessary', () => {
    expect(spreadLabels([20, 100], 13, 0, 200)).toEqual([20, 100]);
  });
});

describe('more lines than can be distinguished', () => {
  const lines = (count: number, selected?: number): LineSeries[] =>
    Array.from({ length: count }, (_, i): LineSeries => ({
      name: String(i),
      data: undefined,
      color: [0, 0, 0],
      dimmed: selected !== undefined && i !== selected,
    }));

  it('are thinned evenly, from first to last, in order', () => {
    const names = limitLines(lines(200)).map(({ name }) => Number(name));
    expect(names.length).toBe(MAX_LINES);
    expect([names[0], names.at(-1)]).toEqual([0, 199]);
    for (let i = 1; i < names.length; i++) expect(names[i] - names[i - 1]).toBeLessThanOrEqual(9);
    expect(names).toEqual([...names].sort((a, b) => a - b));
  });

  it('keep the selected one', () => {
    const names = limitLines(lines(200, 101)).map(({ name }) => name);
    expect(names).toContain('101');
    expect(names.length).toBe(MAX_LINES);
  });

  it('are unchanged if they are few', () => {
    expect(limitLines(lines(MAX_LINES)).length).toBe(MAX_LINES);
  });
});
