// The part of the kernel contract for sequences: attention head by head, tables looked up by index, and copied columns,
// compared with their formulas, index by index.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import { nanTensor, tensorFrom } from '../../support/tensors';
import { softmax } from './oracle';
import { roundoff, sizes, TensorGenerator } from './tensor-generator';

const few = fc.constantFrom(1, 2, 3);

export function describeSequences(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('multiply and sum the slices of each head', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        few,
        few,
        sizes,
        sizes,
        fc.constantFrom(1, 2, 5, 8, 16, 17),
        fc.constantFrom(1, 0.25, 0.3),
        (seed, samples, heads, rows, columns, size, scale) => {
          const draw = new TensorGenerator(kernels, seed);
          const width = heads * size;
          const a = draw.tensor([samples, rows, width]);
          const b = draw.tensor([samples, columns, width]);
          const weights = draw.tensor([samples, heads, rows, columns]);
          const at = (x: Tensor, n: number, t: number, h: number, k: number): number =>
            x.data[(n * x.shape[1] + t) * width + h * size + k];
          const pair = (n: number, h: number, i: number, j: number): number =>
            ((n * heads + h) * rows + i) * columns + j;
          const bound = (terms: number): number => 9 * (terms + 3) * terms * u;

          const pairs = nanTensor(kernels, [samples, heads, rows, columns]);
          const sums = nanTensor(kernels, [samples, rows, width]);
          const transposed = nanTensor(kernels, [samples, columns, width]);
          kernels.headProducts(pairs, a, b, scale);
          kernels.headSums(sums, weights, b, scale);
          kernels.headSumsTransposed(transposed, weights, a, scale);
          const expected = {
            pairs: new Float64Array(pairs.data.length),
            sums: new Float64Array(sums.data.length),
            transposed: new Float64Array(transposed.data.length),
          };
          for (let n = 0; n < samples; n++)
            for (let h = 0; h < heads; h++)
              for (let i = 0; i < rows; i++)
                for (let j = 0; j < columns; j++)
                  for (let k = 0; k < size; k++) {
                    const weight = scale * weights.data[pair(n, h, i, j)];
                    expected.pairs[pair(n, h, i, j)] += scale * at(a, n, i, h, k) * at(b, n, j, h, k);
                    expected.sums[(n * rows + i) * width + h * size + k] += weight * at(b, n, j, h, k);
                    expected.transposed[(n * columns + j) * width + h * size + k] += weight * at(a, n, i, h, k);
                  }
          expect(pairs.data).toBeAllclose(expected.pairs, { atol: bound(size) });
          expect(sums.data).toBeAllclose(expected.sums, { atol: bound(columns) });
          expect(transposed.data).toBeAllclose(expected.transposed, { atol: bound(rows) });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('split long sums and many columns into blocks', () => {
    const [rows, columns, width] = [3, 150, 700];
    const draw = new TensorGenerator(kernels, 1);
    const [a, b] = [draw.tensor([1, rows, width]), draw.tensor([1, columns, width])];
    const pairs = nanTensor(kernels, [1, 1, rows, columns]);
    kernels.headProducts(pairs, a, b, 1);
    const expected = Array.from({ length: rows * columns }, (_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      return Array.from({ length: width }, (_, k) => a.data[i * width + k] * b.data[j * width + k]).reduce(
        (sum, x) => sum + x,
        0,
      );
    });
    expect(pairs.data).toBeAllclose(expected, { atol: 9 * width * width * u });
  });

  it('take the softmax of the entries up to the diagonal', () => {
    fc.assert(
      fc.property(fc.nat(), few, few, sizes, sizes, (seed, samples, heads, rows, columns) => {
        const x = new TensorGenerator(kernels, seed).tensor([samples, heads, rows, columns]);
        const y = nanTensor(kernels, x.shape);
        kernels.causalSoftmax(y, x);
        for (let row = 0; row < samples * heads * rows; row++) {
          const seen = Math.min(columns, (row % rows) + 1);
          const own = Array.from(x.data.subarray(row * columns, row * columns + seen));
          const expected = [...softmax(own), ...new Array<number>(columns - seen).fill(0)];
          expect(y.data.subarray(row * columns, (row + 1) * columns)).toBeAllclose(expected, { atol: 20 * u });
        }
      }),
      { numRuns: 40 },
    );
  });

  /** Indices [samples, length] from 0 to 2. */
  const drawIndices = (draw: TensorGenerator, samples: number, length: number) =>
    tensorFrom(kernels, [samples, length], draw.numbers(samples * length, -0.4, 2.4).map(Math.round));

  it('leave out padding in a softmax', () => {
    fc.assert(
      fc.property(fc.nat(), few, few, sizes, sizes, fc.boolean(), (seed, samples, heads, rows, columns, isCausal) => {
        const draw = new TensorGenerator(kernels, seed);
        const x = draw.tensor([samples, heads, rows, columns]);
        const indices = drawIndices(draw, samples, columns);
        const y = nanTensor(kernels, x.shape);
        kernels.paddedSoftmax(y, x, indices, 1, isCausal);
        for (let row = 0; row < samples * heads * rows; row++) {
          const n = Math.floor(row / (heads * rows));
          const seen = Array.from({ length: columns }, (_, j) => j).filter(
            (j) => indices.data[n * columns + j] !== 1 && (!isCausal || j <= row % rows),
          );
          const found = softmax(seen.map((j) => x.data[row * columns + j]));
          const expected = Array.from({ length: columns }, (_, j) => (seen.includes(j) ? found[seen.indexOf(j)] : 0));
          expect(y.data.subarray(row * columns, (row + 1) * columns)).toBeAllclose(expected, { atol: 20 * u });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('copy the rows of samples at padding, and take means without it', () => {
    fc.assert(
      fc.property(fc.nat(), sizes, sizes, few, (seed, samples, length, width) => {
        const draw = new TensorGenerator(kernels, seed);
        const indices = drawIndices(draw, samples, length);
        const [from, to] = [draw.tensor([samples, width]), draw.tensor([samples, width])];
        const position = seed % length;
        const isPadding = (n: number, t: number): boolean => indices.data[n * length + t] === 2;
        const copied = Array.from(to.data, (value, i) =>
          isPadding(Math.floor(i / width), position) ? from.data[i] : value,
        );
        kernels.copyPaddedRows(to, from, indices, position, 2);
        expect(Array.from(to.data)).toEqual(copied);

        const x = draw.tensor([samples, length, width]);
        const [mean, dx] = [nanTensor(kernels, [samples, width]), nanTensor(kernels, x.shape)];
        kernels.meanOfPositions(mean, x, indices, 2);
        kernels.meanOfPositionsBackward(dx, from, indices, 2);
        for (let n = 0; n < samples; n++) {
          const real = Array.from({ length }, (_, t) => t).filter((t) => !isPadding(n, t));
          for (let j = 0; j < width; j++) {
            const sum = real.reduce((all, t) => all + x.data[(n * length + t) * width + j], 0);
            expect(mean.data.subarray(n * width + j, n * width + j + 1)).toBeAllclose(
              [real.length === 0 ? 0 : sum / real.length],
              { atol: 9 * length * u },
            );
            for (let t = 0; t < length; t++)
              expect(dx.data.subarray((n * length + t) * width + j, (n * length + t) * width + j + 1)).toBeAllclose(
                [real.includes(t) ? from.data[n * width + j] / real.length : 0],
                { atol: u },
              );
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('look up rows, and add at rows in order', () => {
    fc.assert(
      fc.property(fc.nat(), sizes, sizes, sizes, (seed, rows, width, count) => {
        const draw = new TensorGenerator(kernels, seed);
        const table = draw.tensor([rows, width]);
        // Some are no rows.
        const found = draw.numbers(count, -1.4, rows + 0.4).map(Math.round);
        const indices = tensorFrom(kernels, [count], found);
        const y = nanTensor(kernels, [count, width]);
        kernels.lookUpRows(y, table, indices);
        const dy = draw.tensor([count, width]);
        const before = draw.tensor([rows, width]);
        const dTable = tensorFrom(kernels, [rows, width], before.data);
        const padding = rows - 1;
        kernels.accumulateAtRows(dTable, dy, indices, padding);
        const expected = Array.from(before.data);
        found.forEach((index, i) => {
          for (let j = 0; j < width; j++) {
            const isRow = index >= 0 && index < rows;
            expect(y.data[i * width + j]).toBe(isRow ? table.data[index * width + j] : NaN);
            if (isRow && index !== padding) expected[index * width + j] += dy.data[i * width + j];
          }
        });
        expect(dTable.data).toBeAllclose(expected, { atol: 4 * count * count * u });
      }),
      { numRuns: 40 },
    );
  });

  it('copy columns and leave the others', () => {
    fc.assert(
      fc.property(fc.nat(), sizes, sizes, few, few, sizes, (seed, rows, width, to, from, rest) => {
        const draw = new TensorGenerator(kernels, seed);
        const out = draw.tensor([rows, to + width + rest]);
        const x = draw.tensor([rows, from + width + 1]);
        const expected = Array.from(out.data);
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < width; j++) expected[i * out.shape[1] + to + j] = x.data[i * x.shape[1] + from + j];
        kernels.copyColumns(out, to, x, from, width);
        expect(Array.from(out.data)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
}
