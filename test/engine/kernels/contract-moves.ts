// The part of the kernel contract that is about many numbers moved at once, each by itself.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { sizeOf, type Tensor } from '../../../src/engine/kernels/tensor';
import { filled, tensorOf, unwritten } from '../../support/tensors';
import { Draw, roundoff, size } from './draw';

interface Sizes {
  readonly moves: number;
  readonly samples: number;
  readonly columns: number;
}

/** The columns that moves reach, so many samples of each, and which of them each move does. */
function movesOf(draw: Draw, { moves, samples, columns }: Sizes) {
  const which = (below: number): Tensor => filled(draw.kernels, [moves], draw.numbers(moves, 0, below).map(Math.floor));
  return { columns: draw.tensor([columns, samples]), places: which(columns), from: which(3), which };
}

export function describeMoves(kernels: Kernels): void {
  const u = roundoff(kernels.precision);
  const rounds = kernels.precision === 'float64' ? 0 : 1;
  const forSizes = (property: (draw: Draw, sizes: Sizes) => void): void => {
    fc.assert(
      fc.property(fc.nat(), size, size, size, (seed, moves, samples, columns) => property(new Draw(kernels, seed), { moves, samples, columns })),
      { numRuns: 40 },
    );
  };
  /** To the bit in float64, where TypeScript rounds as kernels do. */
  const expectNumbers = ({ shape, data }: Tensor, expected: readonly number[]): void => {
    expect(data.length).toBe(sizeOf(shape));
    expect(data).toBeAllclose(expected, { rtol: rounds * 4 * u, atol: rounds * 16 * u });
  };

  it('moveColumns moves a column by itself, or by slopes', () => {
    forSizes((draw, sizes) => {
      const { moves, samples } = sizes;
      const { columns, places, from } = movesOf(draw, sizes);
      const [by, slopes] = [draw.tensor([moves]), draw.tensor([3, samples])];
      const expected = (slopeOf: (i: number, k: number) => number): number[] =>
        Array.from({ length: moves * samples }, (_, at) => {
          const [i, k] = [Math.floor(at / samples), at % samples];
          return columns.data[places.data[i] * samples + k] + by.data[i] * slopeOf(i, k);
        });
      const out = unwritten(kernels, [moves, samples]);
      kernels.moveColumns(out, columns, places, by, slopes, from);
      expectNumbers(out, expected((i, k) => slopes.data[from.data[i] * samples + k]));
      kernels.moveColumns(out, columns, places, by, null, from);
      expectNumbers(out, expected(() => 1));
    });
  });

  it('placeColumns replaces a column of an output each time', () => {
    forSizes((draw, sizes) => {
      const { moves, samples, columns: features } = sizes;
      const { places } = movesOf(draw, sizes);
      const [rows, moved] = [draw.tensor([samples, features]), draw.tensor([moves, samples])];
      const y = unwritten(kernels, [moves, samples, features]);
      kernels.placeColumns(y, rows, moved, places);
      y.data.forEach((value, at) => {
        const [i, k, j] = [Math.floor(at / (samples * features)), Math.floor(at / features) % samples, at % features];
        expect(value).toBe(j === places.data[i] ? moved.data[i * samples + k] : rows.data[k * features + j]);
      });
    });
  });

  it('addShares adds what the change of a column does to a weighted sum', () => {
    forSizes((draw, sizes) => {
      const { moves, samples } = sizes;
      const { columns, places } = movesOf(draw, sizes);
      for (const outputs of [1, 2, 5, 10]) {
        const [rows, moved, weights] = [draw.tensor([samples, outputs]), draw.tensor([moves, samples]), draw.tensor([sizes.columns, outputs])];
        const y = unwritten(kernels, [moves, samples, outputs]);
        kernels.addShares(y, rows, moved, columns, weights, places);
        expectNumbers(y, Array.from(y.data, (_, at) => {
          const [i, k, j] = [Math.floor(at / (samples * outputs)), Math.floor(at / outputs) % samples, at % outputs];
          const by = moved.data[i * samples + k] - columns.data[places.data[i] * samples + k];
          return rows.data[k * outputs + j] + by * weights.data[places.data[i] * outputs + j];
        }));
      }
    });
  });

  describe('crossEntropies', () => {
    const expectEach = (x: Tensor, t: Tensor): void => {
      const moves = x.shape[0];
      const out = unwritten(kernels, [moves]);
      kernels.crossEntropies(out, x, t);
      const each = t.data.length;
      const one = unwritten(kernels, t.shape);
      const rounded = out.data.slice();
      for (let i = 0; i < moves; i++) {
        one.data.set(x.data.subarray(i * each, (i + 1) * each));
        rounded[i] = kernels.crossEntropy(one, t);
      }
      expect(Array.from(out.data)).toEqual(Array.from(rounded));
    };

    it('are cross-entropies one by one, to the bit', () => {
      forSizes((draw, { moves, samples, columns }) => {
        const x = draw.tensor([moves, samples, columns]);
        expectEach(x, draw.classes(samples, columns));
        expectEach(x, draw.probabilities([samples, columns]));
      });
    });

    it('also of infinities, NaN and what is far below the largest', () => {
      forSizes((draw, { moves, samples, columns }) => {
        const x = draw.tensor([moves, samples, columns], 1000);
        for (const odd of [NaN, Infinity, -Infinity, 0, -0]) x.data[Math.floor(draw.numbers(1, 0, x.data.length)[0])] = odd;
        expectEach(x, draw.classes(samples, columns));
      });
    });
  });

  it('crossEntropy of many rows is the sum of those of each, from the first to the last', () => {
    if (kernels.precision !== 'float64') return;
    forSizes((draw, { moves, samples, columns }) => {
      // Two classes have a way of their own, in which even rows and odd ones are summed by themselves.
      if (columns === 2) return;
      const rows = moves * samples;
      const [x, t] = [draw.tensor([rows, columns], 400), draw.classes(rows, columns)];
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const of = ({ data }: Tensor): Tensor => tensorOf(kernels, [Array.from(data.subarray(row * columns, (row + 1) * columns))]);
        sum += kernels.crossEntropy(of(x), of(t));
      }
      expect(kernels.crossEntropy(x, t)).toBe(sum);
    });
  });
}
