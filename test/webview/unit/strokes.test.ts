// The extents of a line in each pixel column, compared with the line sampled a thousand times per column.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnExtents } from '../../../webview/charts/strokes';

const NOTHING = [Infinity, -Infinity];

/** By dense sampling. */
function sampled(points: readonly (readonly [number, number])[], ratio: number): Map<number, [number, number]> {
  const found = new Map<number, [number, number]>();
  const see = (x: number, y: number): void => {
    const [top, bottom] = found.get(Math.floor(x * ratio)) ?? NOTHING;
    found.set(Math.floor(x * ratio), [Math.min(top, y), Math.max(bottom, y)]);
  };
  points.forEach(([x, y], i) => {
    if (Number.isNaN(y)) return;
    see(x, y);
    const [x0, y0] = points[i - 1] ?? [NaN, NaN];
    if (Number.isNaN(y0)) return;
    for (let k = 0; k <= 1000; k++) see(x0 + ((x - x0) * k) / 1000, y0 + ((y - y0) * k) / 1000);
  });
  return found;
}

describe('the column extents of a line', () => {
  it('cover the line in each column, and nothing where it is broken', () => {
    const place = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 50 }) }, { weight: 1, arbitrary: fc.constant(NaN) }),
    );
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 30 }), fc.constantFrom(1, 2), (places, ratio) => {
        let at = 3.25;
        // In ascending order of x, some at the same position, like the minimum and maximum of a pixel.
        const points = places.map(([dx, y]) => [(at += dx / 16), y] as const);
        const { first, tops, bottoms } = columnExtents(Float64Array.from(points.flat()), ratio);
        const expected = sampled(points, ratio);
        // Between two samples, the line changes by at most a thousandth of its height.
        tops.forEach((top, i) => {
          const [low, high] = expected.get(first + i) ?? NOTHING;
          if (low > high) expect([top, bottoms[i]]).toEqual(NOTHING);
          else {
            expect(Math.abs(top - low)).toBeLessThanOrEqual(0.06);
            expect(Math.abs(bottoms[i] - high)).toBeLessThanOrEqual(0.06);
          }
        });
        for (const column of expected.keys()) expect(column - first).toBeLessThan(tops.length);
      }),
    );
  });

  it('include a spike between its neighbors', () => {
    const { first, tops, bottoms } = columnExtents(Float64Array.of(10.5, 8, 11.5, 0, 12.5, 8), 1);
    expect([first, [...tops], [...bottoms]]).toEqual([10, [4, 0, 4], [8, 4, 8]]);
  });
});
