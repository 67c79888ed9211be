// The part of the kernel contract for normalization, compared with its formulas, sum by sum.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { nanTensor } from '../../support/tensors';
import { TensorGenerator, roundoff, sizes } from './tensor-generator';
import { sum } from './oracle';

const EPS = 1e-3;

/** Groups of indexes that are normalized together, and the parameter that each index goes with. */
interface NormalizationGroups {
  readonly groups: readonly (readonly number[])[];
  readonly parameter: (index: number) => number;
}

const channelGroups = (samples: number, channels: number, inner: number): NormalizationGroups => {
  const parameter = (index: number): number => Math.floor(index / inner) % channels;
  const all = Array.from({ length: samples * channels * inner }, (_, i) => i);
  return {
    groups: Array.from({ length: channels }, (_, channel) => all.filter((i) => parameter(i) === channel)),
    parameter,
  };
};

const rowGroups = (rows: number, width: number): NormalizationGroups => ({
  groups: Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (_, i) => row * width + i)),
  parameter: (index) => index % width,
});

interface NormalizationInput {
  readonly x: ArrayLike<number>;
  readonly dy: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

/** Forward by the formula; backward by its Jacobian, (δ_ij - 1/n - x̂_i x̂_j / n) / σ, term by term. */
function expectedNormalization(
  { groups, parameter }: NormalizationGroups,
  { x, dy, weight, bias }: NormalizationInput,
) {
  const result = {
    mean: [] as number[],
    variance: [] as number[],
    y: [] as number[],
    dx: [] as number[],
    dWeight: [] as number[],
    dBias: [] as number[],
  };
  for (const group of groups) {
    const n = group.length;
    const mean = sum(group.map((i) => x[i])) / n;
    const variance = sum(group.map((i) => (x[i] - mean) ** 2)) / n;
    const normal = new Map(group.map((i) => [i, (x[i] - mean) / Math.sqrt(variance + EPS)]));
    const at = (i: number): number => normal.get(i) ?? NaN;
    result.mean.push(mean);
    result.variance.push(variance);
    for (const i of group) {
      const p = parameter(i);
      result.y[i] = at(i) * weight[p] + bias[p];
      result.dx[i] = sum(
        group.map(
          (j) =>
            (dy[j] * weight[parameter(j)] * ((i === j ? 1 : 0) - 1 / n - (at(i) * at(j)) / n)) /
            Math.sqrt(variance + EPS),
        ),
      );
      result.dWeight[p] = (result.dWeight[p] ?? 0) + dy[i] * at(i);
      result.dBias[p] = (result.dBias[p] ?? 0) + dy[i];
    }
  }
  return result;
}

export function describeNormalization(kernels: Kernels): void {
  const u = roundoff(kernels.precision);
  const inner = fc.constantFrom(1, 2, 5);
  const few = sizes.filter((n) => n <= 9);
  const run = (samples: number, width: number, depth: number, seed: number, byRow: boolean): void => {
    const draw = new TensorGenerator(kernels, seed);
    const shape = [samples, width, depth];
    const groups = byRow ? rowGroups(samples, width * depth) : channelGroups(samples, width, depth);
    const own = byRow ? [width * depth] : [width];
    const [x, dy] = [shape, shape].map((each) => draw.tensor(each));
    const [weight, bias, dWeight, dBias] = [own, own, own, own].map((each) => draw.tensor(each));
    const [y, dx] = [nanTensor(kernels, shape), nanTensor(kernels, shape)];
    const [mean, variance] = [nanTensor(kernels, own), nanTensor(kernels, own)];
    const expected = expectedNormalization(groups, { x: x.data, dy: dy.data, weight: weight.data, bias: bias.data });
    const before = [dWeight, dBias].map(({ data }) => Array.from(data));
    if (byRow) {
      kernels.normalizeRows(y, x, weight, bias, width * depth, EPS);
      kernels.normalizeRowsBackward(dx, dWeight, dBias, dy, x, weight, width * depth, EPS);
    } else {
      kernels.channelMoments(mean, variance, x);
      kernels.normalizeChannels(y, x, mean, variance, weight, bias, EPS);
      kernels.normalizeChannelsBackward(dx, dWeight, dBias, dy, x, mean, variance, weight, EPS, true);
      expect(mean).toBeAllclose(expected.mean, { atol: 64 * u });
      expect(variance).toBeAllclose(expected.variance, { rtol: 64 * u, atol: 64 * u });
    }
    // Nearly equal numbers are divided by about √eps, which amplifies rounding errors by 30, and again in the
    // derivative.
    const n = samples * width * depth + 8;
    expect(y).toBeAllclose(expected.y, { rtol: 8 * u, atol: 256 * n * u });
    expect(dx).toBeAllclose(expected.dx, { rtol: 8 * u, atol: 8192 * n * u });
    expect(dWeight).toBeAllclose(
      expected.dWeight.map((value, i) => value + before[0][i]),
      { rtol: 8 * u, atol: 512 * n * u },
    );
    expect(dBias).toBeAllclose(
      expected.dBias.map((value, i) => value + before[1][i]),
      { rtol: 8 * u, atol: 16 * n * u },
    );
  };

  it.each([
    ['channels over the batch', false],
    ['each sample by itself', true],
  ])('normalize %s, and go back through mean and variance', (_what, byRow) => {
    fc.assert(
      fc.property(few, few, inner, fc.nat(), (samples, width, depth, seed) => run(samples, width, depth, seed, byRow)),
      { numRuns: 60 },
    );
  });

  it.each([
    [1, true],
    [2, true],
    [1, false],
    [5, false],
  ])(
    'with mean and variance that are given, the gradient goes straight through: %i a channel, weights %s',
    (depth, weighted) => {
      const draw = new TensorGenerator(kernels, 3);
      const [x, dy] = [
        [4, 3, depth],
        [4, 3, depth],
      ].map((shape) => draw.tensor(shape));
      const [mean, drawn, shift] = [[3], [3], [3]].map((shape) => draw.tensor(shape));
      const [weight, bias] = weighted ? [drawn, shift] : [null, null];
      const variance = draw.probabilities([3]);
      const [y, dx] = [nanTensor(kernels, [4, 3, depth]), nanTensor(kernels, [4, 3, depth])];
      kernels.normalizeChannels(y, x, mean, variance, weight, bias, EPS);
      kernels.normalizeChannelsBackward(dx, null, null, dy, x, mean, variance, weight, EPS, false);
      const channel = (i: number): number => Math.floor(i / depth) % 3;
      const scale = (i: number): number => (weight?.data[channel(i)] ?? 1) / Math.sqrt(variance.data[channel(i)] + EPS);
      expect(y).toBeAllclose(
        Array.from(x.data, (value, i) => (value - mean.data[channel(i)]) * scale(i) + (bias?.data[channel(i)] ?? 0)),
        { rtol: 8 * u, atol: 256 * u },
      );
      expect(dx).toBeAllclose(
        Array.from(dy.data, (value, i) => value * scale(i)),
        { rtol: 8 * u },
      );
    },
  );
}
