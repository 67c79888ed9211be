// Magnitudes in bins: each entry is in the bin that contains it, and none is lost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binEdge, MAGNITUDE_BINS, magnitudeHistogram } from '../../../src/engine/probes/magnitude-histogram';

/** Compares with every edge. */
function slowBin(size: number): number {
  let bin = 0;
  while (bin < MAGNITUDE_BINS - 1 && size >= binEdge(bin + 1)) bin++;
  return bin;
}

describe.each([Float32Array, Float64Array])('a magnitude histogram of %O', (Numbers) => {
  // After another number, as in the memory of a network.
  const of = (...values: number[]) => magnitudeHistogram({ data: Numbers.from([7, ...values]).subarray(1) } as never);

  it('counts each entry in its bin, whatever the values', () => {
    const values = fc.oneof(
      fc.double(),
      fc.integer({ min: -25, max: 12 }).map((power) => 10 ** power),
      fc.constantFrom(0, -0, NaN, Infinity),
    );
    fc.assert(
      fc.property(fc.array(values), (drawn) => {
        const all = Array.from(Numbers.from(drawn));
        const { counts, zeros, nonFinite } = of(...all);
        expect(zeros).toBe(all.filter((x) => x === 0).length);
        expect(nonFinite).toBe(all.filter((x) => !Number.isFinite(x)).length);
        const slow = new Uint32Array(MAGNITUDE_BINS);
        for (const x of all) if (x !== 0 && Number.isFinite(x)) slow[slowBin(Math.abs(x))]++;
        expect(counts).toEqual(slow);
      }),
    );
  });

  it('puts a value on an edge into the bin above it', () => {
    // In float32, the next larger number, which may be the edge itself.
    const above = (x: number): number => (Numbers.of(x)[0] >= x ? Numbers.of(x)[0] : Numbers.of(x * (1 + 2 ** -23))[0]);
    for (let bin = 0; bin < MAGNITUDE_BINS; bin++) expect(of(-above(binEdge(bin))).counts[bin]).toBe(1);
  });
});
