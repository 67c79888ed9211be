// Networks for images: right ones pass, faulty ones are found, and two equally large pixels are a kink.
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { BACKENDS } from '../support/backends';
import { checkNet, layerOf, type LayerRecipe, linear, makeNet, type NetRecipe } from './nets';

const conv = (out_channels: number, more: object = {}, definition?: LayerDefinition): LayerRecipe => ({
  kind: 'conv2d',
  options: { out_channels, kernel_size: 3, ...more },
  ...(definition && { definition }),
});
const pool = (kind: 'max_pool2d' | 'avg_pool2d', options: object): LayerRecipe => ({ kind, options: { ...options } });

const recipe: NetRecipe = {
  inputs: [2, 9, 7],
  batch: 3,
  loss: 'cross_entropy',
  layers: [
    conv(3, { padding: [1, 2], stride: [2, 1] }),
    { kind: 'relu' },
    pool('max_pool2d', { kernel_size: 2, padding: 1 }),
    conv(4),
    { kind: 'tanh' },
    pool('avg_pool2d', { kernel_size: [1, 2], padding: [0, 1], count_include_pad: false }),
    { kind: 'flatten' },
    linear(3),
  ],
};

describe.each(BACKENDS)('on %s', (backend) => {
  it('passes every entry of a convolutional network', () => {
    const { counts, passed } = checkNet(makeNet(recipe), {}, backend);
    expect(counts).toMatchObject({ wrong: 0, kink: 0 });
    expect(counts.pass).toBeGreaterThan(100);
    expect(passed).toBe(true);
  });
});

describe('a faulty convolution is found', () => {
  const own = layerOf('conv2d');
  const faults: [string, LayerDefinition['backward']][] = [
    [
      'a bias that one image alone reaches',
      (context) => {
        own.backward(context);
        const {
          gradParameters: { bias },
          gradOutput: { data, shape },
        } = context;
        const image = data.length / shape[0];
        bias.data.forEach((_, i) => {
          bias.data[i] = Array.from(data.slice((i * image) / shape[1], ((i + 1) * image) / shape[1])).reduce(
            (sum, value) => sum + value,
            0,
          );
        });
      },
    ],
    [
      'mirrored weights',
      (context) => {
        own.backward(context);
        const { weight } = context.gradParameters;
        const size = weight.shape[2] * weight.shape[3];
        for (let i = 0; i < weight.data.length; i += size) weight.data.subarray(i, i + size).reverse();
      },
    ],
  ];

  it.each(faults)('%s', (_what, backward) => {
    const faulty = {
      ...recipe,
      layers: recipe.layers.map((layer, i) => (i === 3 ? conv(4, {}, { ...own, backward }) : layer)),
    };
    const { counts, parameters } = checkNet(makeNet(faulty));
    expect(counts.wrong).toBeGreaterThan(0);
    for (const { name, verdict } of parameters) if (verdict === 'wrong') expect(name).toMatch(/^conv2d2/);
  });
});

describe('two equally large pixels', () => {
  /** Two channels of one pixel each in a window of two: they are equal if both weights are. */
  const twins = (weights: readonly number[], slope = 1) => {
    const own = layerOf('max_pool2d');
    const definition: LayerDefinition = {
      ...own,
      backward(context) {
        own.backward(context);
        context.gradInput?.data.forEach((_, i, data) => (data[i] *= slope));
      },
    };
    const net = makeNet({
      inputs: [1, 1, 2],
      batch: 1,
      loss: 'sum_squared_error',
      layers: [
        conv(1, { kernel_size: 1, weight: [[[[weights[0]]]]], bias: false }),
        { kind: 'max_pool2d', options: { kernel_size: [1, 2] }, definition },
        { kind: 'flatten' },
      ],
    });
    net.pass.input.data.set([1, weights[1]]);
    net.pass.target.data.set([0]);
    return checkNet(net);
  };

  it('are a kink if the entry separates them, and a fault elsewhere is still wrong', () => {
    // At weight 0 both are 0; next to it they differ by 1 and -2.
    expect(twins([0, -2]).counts).toMatchObject({ wrong: 0 });
    expect(twins([3, -2]).counts).toEqual({ pass: 1, wrong: 0, kink: 0, below_noise: 0 });
    expect(twins([3, -2], 1.01).counts).toEqual({ pass: 0, wrong: 1, kink: 0, below_noise: 0 });
  });

  it('are no kink if the entry moves both alike', () => {
    expect(twins([3, 1]).counts).toEqual({ pass: 1, wrong: 0, kink: 0, below_noise: 0 });
  });
});

describe('integers, for which overlapping windows have several maxima', () => {
  const own = layerOf('max_pool2d');
  const factor = (by: number): LayerDefinition => ({
    ...own,
    backward(context) {
      own.backward(context);
      context.gradInput?.data.forEach((_, i, data) => (data[i] *= by));
    },
  });
  const counts = (definition: LayerDefinition) => {
    const sum = { pass: 0, wrong: 0, kink: 0, below_noise: 0 };
    for (let seed = 0; seed < 60; seed++) {
      for (const ahead of [[conv(2, { kernel_size: 2 }), { kind: 'relu' } as const], [conv(1, { kernel_size: 1 })]]) {
        const net = makeNet({
          inputs: [1, 4, 4],
          batch: 2,
          loss: seed % 2 ? 'mse' : 'cross_entropy',
          seed,
          layers: [
            ...ahead,
            { kind: 'max_pool2d', options: { kernel_size: 2, stride: 1 }, definition },
            { kind: 'flatten' },
            linear(2),
          ],
        });
        const round = (data: Float64Array | Float32Array, per: number): void =>
          data.forEach((value, i) => (data[i] = Math.round(value * per) / per));
        round(net.pass.input.data, 1);
        for (const { value } of net.network.parameters) round(value.data, 2);
        const report = checkNet(net).counts;
        for (const verdict of ['pass', 'wrong', 'kink', 'below_noise'] as const) sum[verdict] += report[verdict];
      }
    }
    return sum;
  };

  it('never give a wrong verdict for a right gradient, nor a pass for a wrong one', () => {
    const right = counts(own);
    expect(right.wrong).toBe(0);
    expect(right.kink).toBeGreaterThan(100);
    expect(right.pass).toBeGreaterThan(1000);
    expect(counts(factor(3)).wrong).toBeGreaterThan(300);
  });
});
