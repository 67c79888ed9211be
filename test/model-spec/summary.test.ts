// The figures of a model, compared with calculations by hand: a small network, and the network for 32x32x3 images of
// many courses on convolution.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesPerElement, type Shape, numel } from '../../src/engine/kernels/tensor';
import { layers as table } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import type { LayerModel, NetworkModel } from '../../src/engine/network-model';
import { estimateMemory } from '../../src/engine/network-tensors';
import { summarize } from '../../src/model-spec/summary';
import { inputShapeFor, layerKinds, requiredOptions } from '../support/layers';
import { compileRun } from '../support/session-fixtures';

const loss = { definition: losses.mse as LossDefinition, options: {} };
const size = { batchSize: 8, evaluationBatchSize: 16, optimizerStateTensors: 1 };

/** A model from layer definitions and options, with inferred shapes. */
function modelOf(inputShape: Shape, chain: readonly (readonly [LayerDefinition, unknown])[]): NetworkModel {
  let shape = inputShape;
  const layers = chain.map(([definition, options], i): LayerModel => {
    const from = shape;
    shape = definition.outputShape(from, options);
    return { name: `${definition.kind}${i}`, definition, options, inputShape: from, outputShape: shape, freeze: [] };
  });
  return { inputShape, layers, loss };
}

const linear = (out_features: number): readonly [LayerDefinition, unknown] => [
  table.linear as LayerDefinition,
  table.linear.options.parse({ out_features }),
];
const plain = (kind: 'relu' | 'tanh' | 'softmax' | 'flatten'): readonly [LayerDefinition, unknown] => [
  table[kind] as LayerDefinition,
  {},
];

/** With padding that keeps the size. */
const conv = (kernel_size: number, out_channels: number): readonly [LayerDefinition, unknown] => [
  table.conv2d as LayerDefinition,
  table.conv2d.options.parse({ kernel_size, out_channels, padding: (kernel_size - 1) / 2 }),
];

const pool: readonly [LayerDefinition, unknown] = [
  table.max_pool2d as LayerDefinition,
  table.max_pool2d.options.parse({ kernel_size: 2 }),
];

describe('matches a calculation by hand for', () => {
  it('784-300-10', () => {
    const figures = summarize(modelOf([784], [linear(300), plain('tanh'), linear(10)]), 'float32', size);
    expect(figures.map(({ parameters }) => parameters)).toEqual([235_500, 0, 3010]);
    expect(figures.map(({ macs }) => macs)).toEqual([235_200, 0, 3000]);
    expect(figures.map(({ dense }) => dense)).toEqual([235_500, null, 3010]);
    expect(figures.map(({ receptiveField }) => receptiveField)).toEqual(['all', 'all', 'all']);
    // 784·300 weights: value, gradient, the value before, one tensor of the optimizer, 4 bytes each; whole cache lines.
    expect(figures[0].memory).toBe(4 * (235_200 * 4 + 1216) + 2 * 9600 + 19_200);
  });

  it('the network for 32x32x3 images', () => {
    const model = modelOf(
      [3, 32, 32],
      [
        conv(5, 32),
        plain('relu'),
        pool,
        conv(5, 64),
        plain('relu'),
        pool,
        conv(5, 64),
        plain('relu'),
        pool,
        plain('flatten'),
        linear(1000),
        plain('relu'),
        linear(10),
      ],
    );
    const figures = summarize(model, 'float32', size);
    const weighted = [0, 3, 6, 10, 12];
    expect(weighted.map((i) => model.layers[i].outputShape)).toEqual([
      [32, 32, 32],
      [64, 16, 16],
      [64, 8, 8],
      [1000],
      [10],
    ]);
    // c_out (c_in k² + 1).
    expect(weighted.map((i) => figures[i].parameters)).toEqual([2432, 51_264, 102_464, 1_025_000, 10_010]);
    expect(weighted.map((i) => figures[i].macs)).toEqual([2_457_600, 13_107_200, 6_553_600, 1_024_000, 10_000]);
    expect(weighted.map((i) => figures[i].dense)).toEqual([100_696_064, 134_234_112, 16_781_312, 1_025_000, 10_010]);
    expect([0, 2, 3, 5, 6, 8].map((i) => figures[i].receptiveField)).toEqual([5, 6, 14, 16, 32, 36].map((n) => [n, n]));
    // An activation has the receptive field of its input; a fully connected layer sees everything.
    expect([1, 9, 10].map((i) => figures[i].receptiveField)).toEqual([[5, 5], [36, 36], 'all']);
  });

  it('the receptive field behind an upsampling is whole positions', () => {
    const { model } = compileRun({
      data: { type: 'images', samples: 20 },
      layers: [
        { type: 'upsample', scale_factor: 3 },
        { type: 'conv2d', out_channels: 2, kernel_size: 3 },
        { type: 'conv2d', out_channels: 2, kernel_size: 2 },
        'flatten',
        { type: 'linear', out_features: 10 },
      ],
      loss: 'cross_entropy',
    });
    // Three neighboring thirds of a position, then four of them: both can touch two positions.
    expect(summarize(model, 'float32', size).map(({ receptiveField }) => receptiveField)).toEqual([
      [1, 1],
      [2, 2],
      [2, 2],
      [2, 2],
      'all',
    ]);
  });

  it('frozen parameters are not trained, and the receptive field before any connection is one position', () => {
    const { model, precision } = compileRun({
      data: 'circles',
      layers: ['tanh', { type: 'linear', out_features: 2, freeze: ['bias'] }],
      loss: 'cross_entropy',
    });
    const [first, second] = summarize(model, precision, size);
    expect(first).toMatchObject({ parameters: 0, receptiveField: [1], dense: null });
    expect(second).toMatchObject({ parameters: 6, trained: 4, receptiveField: 'all' });
  });
});

it('a layer with a weight matrix counts its multiply-adds', () => {
  const weighty = layerKinds
    .map((kind) => table[kind] as LayerDefinition)
    .filter((definition, i) => {
      const options = definition.options.parse(requiredOptions(layerKinds[i]));
      return definition.parameters?.(inputShapeFor(layerKinds[i], 3), options)?.some(({ shape }) => shape.length > 1);
    });
  expect(weighty.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['linear', 'conv2d']));
  for (const definition of weighty) expect(definition.macs, definition.kind).toBeDefined();
});

it('the memory of the layers is that of the network without what lies outside of layers', () => {
  const layer = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map(linear),
    fc.constantFrom('relu', 'tanh', 'softmax').map((kind) => plain(kind as 'relu')),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(layer, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('float32', 'float64' as const),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 0, max: 3 }),
      (inputs, chain, precision, batch, optimizerTensors) => {
        const model = modelOf([inputs], chain);
        const sized = { batchSize: batch, evaluationBatchSize: 2 * batch, optimizerStateTensors: optimizerTensors };
        const lines = (shape: Shape): number => Math.ceil((numel(shape) * bytesPerElement(precision)) / 64) * 64;
        const [last] = model.layers.slice(-1);
        const largest = Math.max(
          0,
          ...model.layers.flatMap(({ definition, inputShape, options }) =>
            (definition.parameters?.(inputShape, options) ?? []).map(({ shape }) => numel(shape)),
          ),
        );
        // Inputs with their gradient, targets, and scratch memory for updates.
        const outside =
          2 * lines([batch, inputs]) +
          lines([batch, ...last.outputShape]) +
          lines([2 * batch, inputs]) +
          lines([2 * batch, ...last.outputShape]) +
          lines([largest]);
        const inside = summarize(model, precision, sized).reduce((sum, { memory }) => sum + memory, 0);
        expect(inside + outside).toBe(estimateMemory(model, precision, sized));
      },
    ),
  );
});
