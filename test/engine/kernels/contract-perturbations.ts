// The part of the kernel contract for perturbations, each independent of the others.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { numel, type Tensor } from '../../../src/engine/kernels/tensor';
import { tensorFrom, tensorOf, nanTensor } from '../../support/tensors';
import { TensorGenerator, roundoff, sizes } from './tensor-generator';

interface PerturbationSizes {
  readonly perturbations: number;
  readonly samples: number;
  readonly columns: number;
}

/** The columns that perturbations reach, with their samples, and the column of each perturbation. */
function drawPerturbations(draw: TensorGenerator, { perturbations, samples, columns }: PerturbationSizes) {
  const which = (below: number): Tensor =>
    tensorFrom(draw.kernels, [perturbations], draw.numbers(perturbations, 0, below).map(Math.floor));
  return { columns: draw.tensor([columns, samples]), places: which(columns), from: which(3), which };
}

export function describePerturbations(kernels: Kernels): void {
  const u = roundoff(kernels.precision);
  const rounds = kernels.precision === 'float64' ? 0 : 1;
  const forSizes = (property: (draw: TensorGenerator, sizes: PerturbationSizes) => void): void => {
    fc.assert(
      fc.property(fc.nat(), sizes, sizes, sizes, (seed, perturbations, samples, columns) =>
        property(new TensorGenerator(kernels, seed), { perturbations, samples, columns }),
      ),
      { numRuns: 40 },
    );
  };
  /** Bitwise in float64, where TypeScript rounds like the kernels. */
  const expectNumbers = ({ shape, data }: Tensor, expected: readonly number[]): void => {
    expect(data.length).toBe(numel(shape));
    expect(data).toBeAllclose(expected, { rtol: rounds * 4 * u, atol: rounds * 16 * u });
  };

  it('perturbColumns perturbs a column directly, or by derivatives', () => {
    forSizes((draw, sizes) => {
      const { perturbations, samples } = sizes;
      const { columns, places, from } = drawPerturbations(draw, sizes);
      const [by, slopes] = [draw.tensor([perturbations]), draw.tensor([3, samples])];
      const expected = (slopeOf: (i: number, k: number) => number): number[] =>
        Array.from({ length: perturbations * samples }, (_, at) => {
          const [i, k] = [Math.floor(at / samples), at % samples];
          return columns.data[places.data[i] * samples + k] + by.data[i] * slopeOf(i, k);
        });
      const out = nanTensor(kernels, [perturbations, samples]);
      kernels.perturbColumns(out, columns, places, by, slopes, from);
      expectNumbers(
        out,
        expected((i, k) => slopes.data[from.data[i] * samples + k]),
      );
      kernels.perturbColumns(out, columns, places, by, null, from);
      expectNumbers(
        out,
        expected(() => 1),
      );
    });
  });

  it('replaceColumns replaces one column of an output per perturbation', () => {
    forSizes((draw, sizes) => {
      const { perturbations, samples, columns: features } = sizes;
      const { places } = drawPerturbations(draw, sizes);
      const [rows, moved] = [draw.tensor([samples, features]), draw.tensor([perturbations, samples])];
      const y = nanTensor(kernels, [perturbations, samples, features]);
      kernels.replaceColumns(y, rows, moved, places);
      y.data.forEach((value, at) => {
        const [i, k, j] = [Math.floor(at / (samples * features)), Math.floor(at / features) % samples, at % features];
        expect(value).toBe(j === places.data[i] ? moved.data[i * samples + k] : rows.data[k * features + j]);
      });
    });
  });

  it('rank1Update adds the effect of a changed column on a weighted sum', () => {
    forSizes((draw, sizes) => {
      const { perturbations, samples } = sizes;
      const { columns, places } = drawPerturbations(draw, sizes);
      for (const outputs of [1, 2, 5, 10]) {
        const [rows, moved, weights] = [
          draw.tensor([samples, outputs]),
          draw.tensor([perturbations, samples]),
          draw.tensor([sizes.columns, outputs]),
        ];
        const y = nanTensor(kernels, [perturbations, samples, outputs]);
        kernels.rank1Update(y, rows, moved, columns, weights, places);
        expectNumbers(
          y,
          Array.from(y.data, (_, at) => {
            const [i, k, j] = [Math.floor(at / (samples * outputs)), Math.floor(at / outputs) % samples, at % outputs];
            const by = moved.data[i * samples + k] - columns.data[places.data[i] * samples + k];
            return rows.data[k * outputs + j] + by * weights.data[places.data[i] * outputs + j];
          }),
        );
      }
    });
  });

  describe('batchedCrossEntropy', () => {
    const expectEach = (x: Tensor, t: Tensor): void => {
      const moves = x.shape[0];
      const out = nanTensor(kernels, [moves]);
      kernels.batchedCrossEntropy(out, x, t);
      const each = t.data.length;
      const one = nanTensor(kernels, t.shape);
      const rounded = out.data.slice();
      for (let i = 0; i < moves; i++) {
        one.data.set(x.data.subarray(i * each, (i + 1) * each));
        rounded[i] = kernels.crossEntropy(one, t);
      }
      expect(Array.from(out.data)).toEqual(Array.from(rounded));
    };

    it('equals the single cross-entropies, bit for bit', () => {
      forSizes((draw, { perturbations, samples, columns }) => {
        const x = draw.tensor([perturbations, samples, columns]);
        expectEach(x, draw.oneHot(samples, columns));
        expectEach(x, draw.probabilities([samples, columns]));
      });
    });

    it('also for infinities, NaN, and logits far below the largest', () => {
      forSizes((draw, { perturbations, samples, columns }) => {
        const x = draw.tensor([perturbations, samples, columns], 1000);
        for (const odd of [NaN, Infinity, -Infinity, 0, -0])
          x.data[Math.floor(draw.numbers(1, 0, x.data.length)[0])] = odd;
        expectEach(x, draw.oneHot(samples, columns));
      });
    });
  });

  it('crossEntropy of many rows is the sum of those of each, from first to last', () => {
    if (kernels.precision !== 'float64') return;
    forSizes((draw, { perturbations, samples, columns }) => {
      // Two classes use a special algorithm, which sums even and odd rows separately.
      if (columns === 2) return;
      const rows = perturbations * samples;
      const [x, t] = [draw.tensor([rows, columns], 400), draw.oneHot(rows, columns)];
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const of = ({ data }: Tensor): Tensor =>
          tensorOf(kernels, [Array.from(data.subarray(row * columns, (row + 1) * columns))]);
        sum += kernels.crossEntropy(of(x), of(t));
      }
      expect(kernels.crossEntropy(x, t)).toBe(sum);
    });
  });
}
