// Measures the figures that the answers to course B quote.
import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/model-spec';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { advanceToUpdate, example, exampleVariant, gradient, openExample, textOf, train } from '../support/examples';
import { holdFigures } from '../support/figures';
import { mean, meanOver, norm, sweepValues, trained } from '../support/trained';

const loss = (session: TrainingSession, part: 'train' | 'validation' | 'test' = 'train'): number =>
  session.evaluate()[part]!.loss;
const accuracy = (session: TrainingSession): number => session.evaluate().test!.accuracy!;
const layer = ({ model }: TrainingSession, name: string) => model.layers.find((each) => each.name === name)!;
const images = example('images');
const sizeOf = (name: string, session = images): number => layer(session, name).outputShape.at(-1)!;
const numbersIn = (name: string, session = images): number =>
  layer(session, name).outputShape.reduce((a, b) => a * b, 1);
const fieldOf = (name: string): number => layer(images, name).figures.receptiveField[0] as number;

/** The mean correlation, without its sign, of two pixels of the training digits. */
function meanCorrelation({ run }: TrainingSession): number {
  const size = 64;
  const samples = [...run.split.train];
  const columns = Array.from({ length: size }, (_, pixel) => {
    const column = samples.map((sample) => run.dataset.inputs[sample * size + pixel]);
    const middle = mean(column);
    const centered = column.map((value) => value - middle);
    const length = norm(centered);
    return length > 1e-6 ? centered.map((value) => value / length) : null;
  });
  const used = columns.filter((column) => column !== null);
  return mean(
    used.flatMap((a, i) => used.slice(0, i).map((b) => Math.abs(a.reduce((sum, value, k) => sum + value * b[k], 0)))),
  );
}

const METHODS = {
  transforms: 'transforms',
  crop: 'augment',
  norm: 'layers.1',
  dropout: 'layers.8.p',
  schedule: 'schedule',
} as const;

/** The digits network with some of its five methods off. */
const withOff = (...off: readonly (keyof typeof METHODS)[]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(METHODS).map(([method, option]) => {
      const [without, whole] = sweepValues('digits-convolution', option);
      return [option, off.includes(method as keyof typeof METHODS) ? without : whole];
    }),
  );

const heldOut = (settings: Record<string, unknown>): number =>
  mean((['validation', 'test'] as const).map((part) => meanOver([1, 2, 3], 'digits-convolution', settings, part)));
const inTraining = (settings: Record<string, unknown>): number =>
  meanOver([1, 2, 3], 'digits-convolution', settings, 'train');

const lastLosses = (settings: Record<string, unknown>): number => {
  const session = exampleVariant('schedule', settings);
  train(session, session.totalSteps - 40);
  const losses = Array.from({ length: 40 }, () => loss(train(session, 1)));
  return Math.max(...losses) - Math.min(...losses);
};

holdFigures('B', {
  'row-convention': () => {
    const [rows, columns] = example('circles').network.parameters[0].value.shape;
    return { rows, columns };
  },
  'convolution-size': () => {
    const session = example('all-convolution');
    return { first: sizeOf('conv2d1', session), second: sizeOf('conv2d2', session) };
  },
  'convolution-weights': () => {
    const { parameters, dense } = layer(images, 'conv2d1').figures;
    return { convolution: parameters, dense: dense! };
  },
  'why-pooling': () => ({ before: numbersIn('relu1'), after: numbersIn('max_pool2d1'), field: fieldOf('conv2d2') }),
  'max-or-average': () => {
    const [average, max] = sweepValues('digits-pooling', 'layers.2').map((pool) =>
      meanOver([1, 2, 3], 'digits-pooling', { 'layers.2': pool }, 'test'),
    );
    return { max, average };
  },
  'larger-images': () => ({
    inputs: numbersIn('flatten1'),
    larger: numbersIn('flatten1', exampleVariant('images', { 'data.size': 64 })),
  }),
  'connected-as-convolution': () => ({
    weights: layer(example('softmax-regression-as-convolution'), 'logits').figures.parameters,
  }),
  'convolutions-alone': () => {
    const { layers } = parseSpec(textOf('all-convolution')).spec!.source.value as { layers: unknown[] };
    const larger = exampleVariant('all-convolution', {
      data: { type: 'images', size: 16, channels: 1, samples: 20 },
      layers: [...layers, { type: 'linear', out_features: 10 }],
    });
    const { values, placed, rows, columns, outputs, stride } = runQuery(trained('all-convolution'), {
      type: 'output_map',
      sample: null,
      tiles: 3,
      place: null,
    }).value!;
    const right = placed.filter(({ row, column, label }) => {
      const position = (row / stride.down) * columns + column / stride.right;
      const scores = Array.from({ length: outputs }, (_, k) => values[k * rows * columns + position]);
      return scores.indexOf(Math.max(...scores)) === label;
    }).length;
    return {
      classes: layer(example('all-convolution'), 'classes').outputShape[0],
      map: sizeOf('classes', larger),
      right,
    };
  },
  'carried-weights': () => {
    const name = 'all-convolution-larger';
    const { source } = parseSpec(textOf(name)).spec!;
    const { initial_weights: _, ...drawn } = source.value as Record<string, unknown>;
    return {
      start: accuracy(example(name)),
      end: accuracy(trained(name)),
      random: accuracy(train(openExample(name, JSON.stringify(drawn)).session)),
    };
  },
  'receptive-fields': () => ({ first: fieldOf('conv2d1'), second: fieldOf('conv2d2'), third: fieldOf('conv2d3') }),
  'same-size': () => ({ size: sizeOf('conv2d1') }),
  'pooling-by-two': () => ({
    first: sizeOf('max_pool2d1'),
    second: sizeOf('max_pool2d2'),
    third: sizeOf('max_pool2d3'),
  }),
  'layer-table': () => {
    const { layers, parameterCount } = images.model;
    const macs = (kind: string): number =>
      layers.filter((each) => each.kind.startsWith(kind)).reduce((sum, { figures }) => sum + figures.macs, 0);
    const dense = layer(images, 'linear1').figures.parameters;
    return { total: parameterCount, dense, share: dense / parameterCount, macs: macs('conv') / macs('') };
  },
  'weights-and-samples': () => ({ weights: images.model.parameterCount }),
  'few-weights': () => ({
    weights: example('softmax-regression').model.parameterCount,
    accuracy: accuracy(trained('softmax-regression')),
  }),
  'first-loss': () => ({ start: loss(images) }),
  'image-network': () => ({ start: loss(images) }),
  'train-and-test-code': () => {
    const session = trained('digits-whitened');
    return { batch: session.loss!, whole: loss(session) };
  },
  'rate-and-batch-size': () => {
    const at = (batch: number, lr: number): number =>
      loss(trained('circles', { batch_size: batch, 'optimizer.lr': lr }));
    return { smallSlow: at(8, 0.01), smallFast: at(8, 0.1), largeSlow: at(64, 0.01), largeFast: at(64, 0.1) };
  },
  overfitting: () => {
    const session = example('sine-overfit');
    let lowest = Infinity;
    while (session.position.step < session.totalSteps)
      lowest = Math.min(lowest, loss(train(session, 10), 'validation'));
    return { lowest, end: loss(session, 'validation'), train: loss(session) };
  },
  standardization: () => ({
    with: loss(trained('weather')),
    without: loss(trained('weather', { transforms: [] })),
  }),
  'mean-from-train': () => ({ mean: example('digits').model.transforms[0].values[0].first[0] }),
  zca: () => ({
    before: meanCorrelation(exampleVariant('digits-whitened', { transforms: [] })),
    after: meanCorrelation(example('digits-whitened')),
  }),
  augmentation: () => ({ with: heldOut(withOff()), without: heldOut(withOff('crop')) }),
  flip: () => {
    const [without, flipped] = sweepValues('digits-flipped', 'augment').map((augment) =>
      meanOver([1, 2, 3, 4], 'digits-flipped', { augment }, 'test'),
    );
    return { without, with: flipped };
  },
  'augmentation-limits': () => ({ with: inTraining(withOff()), without: inTraining(withOff('crop')) }),
  momentum: () => ({
    with: loss(trained('circles', { epochs: 20 })),
    without: loss(trained('circles', { epochs: 20, 'optimizer.momentum': 0 })),
  }),
  nesterov: () => ({
    nesterov: loss(trained('digits-whitened', { epochs: 10 })),
    plain: loss(trained('digits-whitened', { epochs: 10, 'optimizer.nesterov': false })),
  }),
  adam: () => ({
    adam: loss(trained('adam')),
    sgd: loss(trained('adam', { optimizer: { type: 'sgd', lr: 0.1 } })),
  }),
  schedules: () => ({ cosine: lastLosses({}), constant: lastLosses({ schedule: 'constant' }) }),
  'schedule-kinds': () => ({ start: example('digits-whitened').lr, end: trained('digits-whitened').lr }),
  regularization: () => {
    const at = (l2: number): number => meanOver([1, 2, 3, 4], 'sine-overfit', { 'penalty.l2': l2 }, 'test');
    return { without: at(0), with: at(0.001) };
  },
  dropout: () => ({ with: inTraining(withOff()), without: inTraining(withOff('dropout')) }),
  'dropout-rate': () => {
    const at = (p: number): number => loss(trained('digits-whitened', { 'layers.3.p': p }));
    return { none: at(0), some: at(0.2), most: at(0.95) };
  },
  'dropout-modes': () => {
    const { pass } = advanceToUpdate(example('digits-whitened'));
    const mask = [...pass.masks[3]!.data];
    return { scale: Math.max(...mask), share: mask.filter((each) => each === 0).length / mask.length };
  },
  'batch-norm': () => {
    const [without, normalized] = sweepValues('batch-norm', 'layers.2').map((block) =>
      meanOver([1, 2, 3], 'batch-norm', { 'layers.2': block }, 'train'),
    );
    return { with: normalized, without };
  },
  'batch-norm-modes': () => {
    const session = train(example('batch-norm'), 1);
    const { outputs, batchSize } = session.pass;
    const feature = Array.from({ length: batchSize }, (_, row) => outputs[2].data[16 * row]);
    const middle = mean(feature);
    return {
      batch: feature.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (batchSize - 1),
      running: session.network.buffers.find(({ shortName }) => shortName === 'running_var')!.value.data[0],
    };
  },
  'five-methods': () => ({
    all: heldOut(withOff()),
    none: heldOut(withOff('transforms', 'crop', 'norm', 'dropout', 'schedule')),
    ...Object.fromEntries(
      (Object.keys(METHODS) as (keyof typeof METHODS)[]).map((method) => [method, heldOut(withOff(method))]),
    ),
  }),
  'whitened-digits': () => ({ accuracy: accuracy(trained('digits-whitened')) }),
  'k-squared-weights': () => {
    const { parameters, dense } = layer(images, 'conv2d1').figures;
    return { right: parameters, dense: dense! };
  },
});

describe('rules of course B', () => {
  it('mean-from-train: all splits are shifted by the mean of the training split', () => {
    const { dataset, split } = example('digits').run;
    const meanOf = (samples: Uint32Array): number =>
      mean([...samples].flatMap((sample) => [...dataset.inputs.slice(sample * 64, sample * 64 + 64)]));
    expect(Math.abs(meanOf(split.train))).toBeLessThan(1e-6);
    expect(Math.abs(meanOf(split.validation))).toBeGreaterThan(1e-4);
  });

  it('batch-norm-bias: a bias before batch norm has no gradient, and a warning says so', () => {
    const text = textOf('batch-norm').replace('"out_features": 16, "bias": false, ', '"out_features": 16, ');
    const { session, problems } = openExample('batch-norm', text);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['bias-before-norm']));
    advanceToUpdate(session);
    expect(norm(gradient(session, 'linear2.bias'))).toBeLessThan(1e-4 * norm(gradient(session, 'linear2.weight')));
  });
});
