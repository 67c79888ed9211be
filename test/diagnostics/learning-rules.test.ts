// Rules about data and step sizes: each fires on its case and not on a similar one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { Random } from '../../src/engine/random';
import { applyTextEdit, editSpec, loadRun } from '../../src/model-spec';
import type { Problem, QuickFix, RuleSettings } from '../../src/protocol/problem';
import { inMemoryFiles, noFiles } from '../support/data-files';
import { names, openExample, shownFindings } from '../support/examples';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const hidden = (units: number, activation: string, outputs: number): unknown[] => [
  linear(units),
  activation,
  linear(outputs),
];
const sgd = (lr: number, more: object = {}): object => ({ type: 'sgd', lr, ...more });

/** Inline data from a formula, drawn from a fixed seed. */
function inline(samples: number, width: number, target: (x: readonly number[], i: number) => number, kind = 'targets') {
  const random = new Random(1, 'inputs');
  const inputs = Array.from({ length: samples }, () => Array.from({ length: width }, () => random.uniform(-1, 1)));
  return { type: 'inline', inputs, [kind]: inputs.map(target) };
}

const problemsOf = (text: string, ruleSettings: RuleSettings = {}): readonly Problem[] =>
  loadRun(text, noFiles, { rules: specRules, ruleSettings }).problems;
const textOf = (spec: object): string => JSON.stringify({ batch_size: 8, epochs: 50, ...spec });
const codes = (spec: object, settings?: RuleSettings): string[] =>
  problemsOf(textOf(spec), settings).map(({ code }) => code);

const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const random = new Random(2, 'labels');
const coins = Array.from({ length: 400 }, () => Number(random.uniform(0, 1) < 0.5));
const regression = { data: inline(40, 2, sum), layers: hidden(4, 'tanh', 1), loss: 'mse', optimizer: sgd(0.1) };
const classification = {
  data: inline(200, 2, (x) => Number(sum(x) > 0), 'labels'),
  layers: hidden(4, 'tanh', 2),
  loss: 'cross_entropy',
  optimizer: sgd(0.1),
};
const images = (layers: readonly unknown[], more: object = {}): object => ({
  ...classification,
  data: { type: 'images', samples: 40, classes: 2, size: 8 },
  layers,
  ...more,
});
const convolution = { type: 'conv2d', out_channels: 4, kernel_size: 3 };
const pooled = (kernel_size: number): unknown[] => [{ type: 'avg_pool2d', kernel_size }, 'flatten', linear(2)];
const crop = (padding: number): object =>
  images([convolution, 'relu', 'flatten', linear(2)], { augment: [{ type: 'random_crop', padding }] });
const normal = (std: number): object => linear(8, { init: { type: 'normal', std } });
const offset = inline(40, 2, (x) => 3 + sum(x));
/** 0, 7, 14, … modulo 40: each whole number once, in no relation to the inputs. */
const running = inline(40, 2, (_, i) => (7 * i) % 40);
const withColumn = (column: (x: readonly number[]) => number): object => {
  const data = inline(40, 2, sum) as { inputs: number[][] };
  return { ...data, inputs: data.inputs.map((x) => [...x, column(x)]) };
};
const withValue = (value: number): object => {
  const data = inline(200, 2, (x) => Number(sum(x) > 0), 'labels') as { inputs: number[][] };
  return { ...data, inputs: data.inputs.map((x, i) => (i === 50 ? [value, x[1]] : x)) };
};
const sorted = inline(200, 2, (_, i) => Number(i >= 100), 'labels');
const mixed = inline(200, 2, (_, i) => i % 2, 'labels');
const rising = inline(40, 2, (_, i) => i / 20);
const bent = (activation: object): unknown[] => [linear(4, { bias: false }), activation, linear(2)];
const normed = [linear(4, { bias: false }), 'batch_norm1d', 'tanh', linear(2)];
const withTarget = (value: number): object => inline(40, 2, (x, i) => (i === 7 ? value : sum(x)));
const language = (is_causal: boolean): object => ({
  data: { type: 'text', text: 'abcab cabba '.repeat(20), length: 8 },
  layers: [
    { type: 'embedding', num_embeddings: 4, embedding_dim: 8 },
    'positional_encoding',
    { type: 'multihead_attention', num_heads: 2, is_causal },
    linear(4),
  ],
  loss: 'cross_entropy',
});
/** Attention on sequences. */
const sequence = (
  type: string,
  before: readonly unknown[],
  after: readonly unknown[] = [linear(1), 'flatten'],
): object => ({
  data: { type, samples: 40, length: 4 },
  layers: [linear(8), ...before, { type: 'multihead_attention', num_heads: 2 }, ...after],
  loss: 'mse',
});
const kernel = (gamma: number): unknown[] => [{ type: 'kernel', gamma, centers: 20 }, linear(2)];

/** Three clouds of points, with a number for each, and a column more. */
const clouds = (
  column: (cloud: number, i: number) => number,
  kind = 'labels',
  target = (cloud: number): unknown => cloud,
) => {
  const { inputs } = inline(240, 2, sum) as { inputs: number[][] };
  return {
    type: 'inline',
    inputs: inputs.map((x, i) => [x[0] + 2 * (i % 3), x[1], column(i % 3, i)]),
    [kind]: inputs.map((_, i) => target(i % 3)),
  };
};
const three = { ...classification, layers: hidden(4, 'tanh', 3) };
/** A table of three columns, changed by a function of the value, the column and the row. */
const changed = (change: (value: number, column: number, row: number) => number): object => {
  const data = inline(240, 3, sum) as { inputs: number[][] };
  return { ...data, inputs: data.inputs.map((x, row) => x.map((value, column) => change(value, column, row))) };
};
/** A column of the whole numbers from 0 to 7, on which the target depends. */
const coded = (effect: (code: number) => number): object => {
  const { inputs } = inline(240, 2, sum) as { inputs: number[][] };
  return {
    type: 'inline',
    inputs: inputs.map(([x], i) => [x, (5 * i + (i >> 3)) % 8]),
    targets: inputs.map(([x], i) => x + effect((5 * i + (i >> 3)) % 8)),
  };
};
/** Classes with the names of numbers, each of which occurs. */
const graded = (label: (x: readonly number[], i: number) => number): object => {
  const data = inline(160, 2, label, 'labels') as { labels?: number[] };
  return { ...classification, data, layers: [linear(new Set(data.labels).size)] };
};
const inMeters = changed((value, column) => (column === 1 ? 1000 * value : value));
const noise = new Random(3, 'noise');
const leaking = (column: (target: number) => number): object => {
  const data = inline(240, 2, sum);
  const { inputs, targets } = data as { inputs: number[][]; targets?: number[] };
  return { ...data, inputs: inputs.map((x, i) => [...x, column(targets?.[i] ?? NaN)]) };
};
const product = inline(240, 3, ([a, b, c]) => a + 1.5 * b * c) as { inputs: number[][]; targets?: number[] };
/** The last column is the target with noise. */
const copied = {
  ...product,
  inputs: product.inputs.map((x, i) => [...x, (product.targets?.[i] ?? NaN) + 0.06 * noise.uniform(-1, 1)]),
};
/** The first column decides almost alone. */
const dominated = inline(240, 3, ([a, b, c]) => a + 0.1 * b * c);
const norm = (layer: unknown): unknown[] => [linear(8), layer, 'tanh', linear(2)];
const scheduled = (schedule: object): object => ({ ...classification, schedule });
const large = (layers: readonly unknown[]): object =>
  images([...layers, 'flatten', linear(2)], { data: { type: 'images', samples: 40, classes: 2, size: 16 } });
const gratings = (augment: readonly unknown[]): object => ({
  ...classification,
  data: { type: 'images', samples: 210, classes: 7, size: 12, channels: 1 },
  layers: [convolution, 'relu', 'flatten', linear(7)],
  augment,
});
const flip = ['random_horizontal_flip'];
const tokens = (length: number, more: object = {}, text = 'abcab cabba '.repeat(20)): object => ({
  data: { type: 'text', text, length },
  layers: [
    { type: 'embedding', num_embeddings: 4, embedding_dim: 8, ...more },
    { type: 'gru', hidden_size: 8, return: 'all' },
    linear(4),
  ],
  loss: 'cross_entropy',
});
const filled = (loss: unknown): object => ({ ...tokens(16, {}, 'abcab'.padEnd(16, '_').repeat(30)), loss });
const recurrent = (more: object): object => ({
  data: { type: 'parity', length: 6, samples: 200 },
  layers: [{ type: 'lstm', hidden_size: 8, ...more }, linear(2)],
  loss: 'cross_entropy',
});
/** Rows that are each written so many times. */
const repeated = (times: number): object => {
  const { inputs } = inline(240, 2, sum) as { inputs: number[][] };
  const rows = inputs.map((_, i) => inputs[i % (240 / times)]);
  return {
    type: 'inline',
    inputs: rows,
    labels: rows.map((x) => Number(sum(x) > 0)),
    split: { validation: 0.2, test: 0 },
  };
};
const repetitive = {
  ...tokens(4, {}, 'abca caba bcab '.repeat(40)),
  data: { type: 'text', text: 'abca caba bcab '.repeat(40), length: 5, split: { validation: 0.2, test: 0 } },
};
const few = (more: object): object => ({
  data: { type: 'moons', ...more },
  layers: hidden(200, 'relu', 2),
  loss: 'cross_entropy',
});

const quadrants = inline(200, 2, ([a, b]) => Number(a > 0 !== b > 0), 'labels');

const cases: readonly (readonly [code: string, fires: object, quiet: object])[] = [
  [
    'target-not-scaled',
    { ...regression, data: inline(40, 2, (x) => 250_000 + 80_000 * sum(x)) },
    { ...regression, data: inline(40, 2, (x) => 25 + 8 * sum(x)) },
  ],
  [
    'target-not-scaled',
    { ...regression, data: inline(40, 2, (x) => 1e-5 * sum(x)) },
    { ...regression, data: inline(40, 2, (x) => 0.1 * sum(x)) },
  ],
  [
    'target-out-of-range',
    { ...regression, data: inline(40, 2, (_, i) => 1 + (i % 4)), layers: [...hidden(4, 'tanh', 1), 'tanh'] },
    { ...regression, data: inline(40, 2, (x) => sum(x) / 4), layers: [...hidden(4, 'tanh', 1), 'tanh'] },
  ],
  [
    'target-out-of-range',
    { ...regression, layers: [...hidden(4, 'tanh', 1), 'sigmoid'] },
    { ...regression, data: inline(40, 2, (x) => (sum(x) + 2) / 4), layers: [...hidden(4, 'tanh', 1), 'sigmoid'] },
  ],
  [
    'activation-on-output',
    { ...regression, layers: [...hidden(4, 'tanh', 1), 'relu'] },
    { ...regression, layers: hidden(4, 'relu', 1) },
  ],
  [
    'softmax-inside',
    { ...classification, layers: hidden(4, 'softmax', 2) },
    { ...classification, layers: hidden(4, 'relu', 2) },
  ],
  [
    'not-probabilities',
    { ...classification, layers: [...hidden(4, 'tanh', 1), 'tanh'], loss: 'bce' },
    { ...classification, layers: [...hidden(4, 'tanh', 1), 'sigmoid'], loss: 'bce' },
  ],
  [
    'not-probabilities',
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'log_softmax'], loss: 'mse' },
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'softmax'], loss: 'mse' },
  ],
  [
    'not-log-probabilities',
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'softmax'], loss: 'nll' },
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'log_softmax'], loss: 'nll' },
  ],
  [
    'strong-weight-decay',
    { ...classification, optimizer: sgd(0.1, { weight_decay: 0.5 }) },
    { ...classification, optimizer: sgd(0.1, { weight_decay: 0.01 }) },
  ],
  [
    'large-effective-rate',
    { ...classification, optimizer: sgd(0.5, { momentum: 0.99 }) },
    { ...classification, optimizer: sgd(0.5, { momentum: 0.9 }) },
  ],
  ['large-effective-rate', { ...classification, optimizer: sgd(50) }, { ...classification, optimizer: sgd(1) }],
  [
    'large-adaptive-rate',
    { ...classification, optimizer: { type: 'adam', lr: 1 } },
    { ...classification, optimizer: { type: 'adam', lr: 0.01 } },
  ],
  ['zero-rate', { ...classification, optimizer: sgd(0) }, { ...classification, optimizer: sgd(0.001) }],
  ['tiny-rate', { ...classification, optimizer: sgd(1e-8) }, { ...classification, optimizer: sgd(1e-4) }],
  ['tiny-clip', { ...classification, clip: { norm: 1e-6 } }, { ...classification, clip: { norm: 1 } }],
  [
    'unstable-rate',
    { ...regression, data: inline(40, 1, ([x]) => x), layers: [linear(1)], optimizer: sgd(1.2), batch_size: 'full' },
    { ...regression, data: inline(40, 1, ([x]) => x), layers: [linear(1)], optimizer: sgd(0.8), batch_size: 'full' },
  ],
  ['constant-target', { ...regression, data: inline(40, 2, () => 3) }, regression],
  [
    'constant-inputs',
    { ...classification, data: { type: 'inline', inputs: [[3], [3], [3], [3]], labels: [0, 1, 0, 1] } },
    { ...classification, data: { type: 'inline', inputs: [[3], [4], [3], [5]], labels: [0, 1, 0, 1] } },
  ],
  [
    'constant-feature',
    {
      ...classification,
      data: {
        type: 'inline',
        inputs: [
          [3, 1],
          [3, 2],
          [3, 3],
          [3, 4],
        ],
        labels: [0, 1, 0, 1],
      },
    },
    {
      ...classification,
      data: {
        type: 'inline',
        inputs: [
          [3, 1],
          [3, 2],
          [3, 3],
          [4, 4],
        ],
        labels: [0, 1, 0, 1],
      },
    },
  ],
  [
    'imbalanced-classes',
    { ...classification, data: inline(200, 2, (_, i) => Number(i % 20 === 0), 'labels') },
    { ...classification, data: inline(200, 2, (_, i) => Number(i % 4 === 0), 'labels') },
  ],
  [
    'contradictory-samples',
    { ...classification, data: { type: 'inline', inputs: [[1], [1], [2], [2], [3]], labels: [0, 1, 0, 1, 0] } },
    { ...classification, data: { type: 'inline', inputs: [[1], [1], [2], [2], [3]], labels: [0, 0, 1, 1, 0] } },
  ],
  [
    'unrelated-labels',
    { ...classification, data: inline(400, 2, (_, i) => coins[i], 'labels') },
    { ...classification, data: quadrants },
  ],
  [
    'not-linearly-separable',
    { ...classification, data: quadrants, layers: [linear(2)] },
    { ...classification, layers: [linear(2)] },
  ],
  [
    'no-activation',
    { ...classification, layers: [linear(4), { type: 'leaky_relu', negative_slope: 1 }, linear(2)] },
    { ...classification, layers: [linear(4), { type: 'leaky_relu', negative_slope: 0.5 }, linear(2)] },
  ],
  [
    'activation-scale',
    { ...classification, layers: [linear(4), { type: 'relu', scale: 1e-4 }, linear(2)] },
    { ...classification, layers: [linear(4), { type: 'relu', scale: 0.1 }, linear(2)] },
  ],
  [
    'activation-on-output',
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'relu'] },
    { ...classification, layers: hidden(4, 'relu', 2) },
  ],
  [
    'large-init',
    { ...classification, layers: [normal(40), 'tanh', linear(2)] },
    { ...classification, layers: [normal(2), 'tanh', linear(2)] },
  ],
  [
    'small-init',
    { ...classification, layers: [normal(5e-4), 'tanh', normal(5e-4), 'tanh', linear(2)] },
    { ...classification, layers: [normal(0.05), 'tanh', normal(0.05), 'tanh', linear(2)] },
  ],
  [
    'weights-frozen',
    {
      ...classification,
      layers: [linear(4, { freeze: ['weight'] }), 'tanh', linear(2, { freeze: ['weight', 'bias'] })],
    },
    { ...classification, layers: [linear(4, { freeze: ['weight', 'bias'] }), 'tanh', linear(2)] },
  ],
  [
    'dropout-on-output',
    { ...regression, layers: [...hidden(4, 'tanh', 1), { type: 'dropout', p: 0.6 }] },
    { ...regression, layers: [linear(4), 'tanh', { type: 'dropout', p: 0.3 }, linear(1)] },
  ],
  [
    'strong-dropout',
    { ...classification, layers: [{ type: 'dropout', p: 0.9 }, ...hidden(4, 'tanh', 2)] },
    { ...classification, layers: [{ type: 'dropout', p: 0.2 }, ...hidden(4, 'tanh', 2)] },
  ],
  [
    'norm-on-output',
    { ...regression, data: offset, layers: [...hidden(4, 'tanh', 1), { type: 'batch_norm1d', affine: false }] },
    { ...regression, data: offset, layers: [...hidden(4, 'tanh', 1), 'batch_norm1d'] },
  ],
  ['pooled-away', images(pooled(8)), images(pooled(2))],
  [
    'pooled-away',
    images(pooled(8)),
    images([convolution, { type: 'avg_pool2d', kernel_size: 6 }, 'flatten', linear(2)]),
  ],
  ['strong-augmentation', crop(8), crop(2)],
  [
    'median-of-classes',
    { ...classification, data: { type: 'blobs', centers: 4 }, layers: hidden(8, 'tanh', 4), loss: 'mae' },
    { ...classification, data: { type: 'blobs', centers: 4 }, layers: hidden(8, 'tanh', 4), loss: 'mse' },
  ],
  ['strong-weight-decay', { ...classification, penalty: { l1: 0.5 } }, { ...classification, penalty: { l1: 0.001 } }],
  [
    'large-eps',
    { ...classification, optimizer: { type: 'adam', lr: 0.01, eps: 1000 } },
    { ...classification, optimizer: { type: 'adam', lr: 0.01, eps: 0.1 } },
  ],
  [
    'fast-rate-decay',
    { ...classification, optimizer: { type: 'adagrad', lr: 0.3, lr_decay: 100 } },
    { ...classification, optimizer: { type: 'adagrad', lr: 0.3, lr_decay: 0.01 } },
  ],
  [
    'tiny-loss',
    { ...regression, loss: { type: 'huber', delta: 1e-6 } },
    { ...regression, loss: { type: 'huber', delta: 0.1 } },
  ],
  [
    'tiny-loss',
    { ...regression, loss: { type: 'sum_squared_error', scale: 1e-5 }, epochs: 40 },
    { ...regression, loss: { type: 'sum_squared_error', scale: 1e-5 }, optimizer: { type: 'adam', lr: 0.01 } },
  ],
  ['target-is-id', { ...regression, data: running }, { ...regression, data: inline(40, 2, (_, i) => (i % 4) - 1.5) }],
  [
    'target-among-inputs',
    { ...regression, data: withColumn((x) => 3 * sum(x) - 1) },
    { ...regression, data: withColumn(([a, b]) => 3 * a - b) },
  ],
  ['outlier', { ...classification, data: withValue(3e38) }, { ...classification, data: withValue(30) }],
  [
    'missing-bias',
    { ...regression, data: offset, layers: [linear(1, { bias: false })] },
    { ...regression, data: inline(40, 2, sum), layers: [linear(1, { bias: false })] },
  ],
  [
    'missing-bias',
    { ...regression, data: offset, layers: [linear(1, { freeze: ['bias'] })] },
    { ...regression, data: offset, layers: [linear(1, { bias: [3], freeze: ['bias'] })] },
  ],
  [
    'narrow-layer',
    { ...classification, data: { type: 'circles', samples: 200 }, layers: hidden(1, 'tanh', 2) },
    { ...classification, layers: hidden(1, 'tanh', 2) },
  ],
  [
    'narrow-layer',
    { ...classification, data: { type: 'blobs', samples: 120, centers: 4 }, layers: hidden(1, 'relu', 4) },
    { ...classification, data: { type: 'blobs', samples: 120, centers: 4 }, layers: hidden(2, 'relu', 4) },
  ],
  ['sharp-kernel', { ...classification, layers: kernel(1e5) }, { ...classification, layers: kernel(1) }],
  [
    'sorted-classes',
    { ...classification, data: sorted, shuffle: false },
    { ...classification, data: mixed, shuffle: false },
  ],
  ['sorted-classes', { ...classification, data: sorted, shuffle: false }, { ...classification, data: sorted }],
  [
    'sorted-targets',
    { ...regression, data: rising, shuffle: false },
    { ...regression, data: inline(40, 2, sum), shuffle: false },
  ],
  ['sorted-targets', { ...regression, data: rising, shuffle: false }, { ...regression, data: rising }],
  [
    'nearly-linear',
    { ...classification, layers: bent({ type: 'leaky_relu', negative_slope: 0.9 }) },
    { ...classification, layers: bent({ type: 'leaky_relu', negative_slope: 0.3 }) },
  ],
  [
    'nearly-linear',
    { ...classification, layers: bent({ type: 'softplus', beta: 0.05 }) },
    { ...classification, layers: bent({ type: 'softplus', beta: 1 }) },
  ],
  [
    'norm-of-few',
    { ...classification, layers: normed, batch_size: 2 },
    { ...classification, layers: normed, batch_size: 8 },
  ],
  [
    'strong-label-smoothing',
    { ...classification, loss: { type: 'cross_entropy', label_smoothing: 0.8 } },
    { ...classification, loss: { type: 'cross_entropy', label_smoothing: 0.1 } },
  ],
  [
    'pooled-away',
    images([{ type: 'adaptive_avg_pool2d' }, 'flatten', linear(2)]),
    images([convolution, 'relu', { type: 'adaptive_avg_pool2d' }, 'flatten', linear(2)]),
  ],
  ['attention-sees-target', language(false), language(true)],
  ['target-outliers', { ...regression, data: withTarget(500) }, { ...regression, data: withTarget(5) }],
  [
    'target-outliers',
    { ...regression, data: withTarget(500) },
    { ...regression, data: withTarget(500), loss: 'huber' },
  ],
  ['attention-without-positions', sequence('sorting', []), sequence('sorting', ['positional_encoding'])],
  // The sum does not depend on the order.
  ['attention-without-positions', sequence('sorting', []), sequence('adding', [], ['flatten', linear(1)])],
  ['attention-without-positions', sequence('sorting', []), sequence('sorting', [], ['flatten', linear(4)])],
  [
    'few-steps',
    { ...classification, batch_size: 'full', epochs: 2 },
    { ...classification, batch_size: 'full', epochs: 50 },
  ],
  [
    'unequal-scales',
    { ...regression, data: changed((value, column) => (column === 1 ? 0.001 * value : value)) },
    { ...regression, data: changed((value, column) => (column === 1 ? 0.1 * value : value)) },
  ],
  // One deviation for all columns leaves them as different as they are.
  [
    'unequal-scales',
    { ...regression, data: inMeters, transforms: [{ type: 'standardize', per: 'all' }] },
    { ...regression, data: inMeters, transforms: ['standardize'] },
  ],
  // A column of two values is a category.
  [
    'unequal-scales',
    { ...regression, data: changed((value, column) => (column === 1 ? 0.001 * value : value)) },
    { ...regression, data: changed((value, column) => (column === 1 ? 0.001 * Number(value > 0) : value)) },
  ],
  [
    'classes-as-values',
    { ...regression, data: clouds((_, i) => Math.sin(i), 'targets') },
    { ...three, data: clouds((_, i) => Math.sin(i)) },
  ],
  // Counts: common in the middle, rare at the end.
  [
    'classes-as-values',
    { ...regression, data: clouds((_, i) => Math.sin(i), 'targets') },
    { ...regression, data: inline(240, 2, ([x]) => Math.round(4 * x ** 6)) },
  ],
  [
    'target-among-inputs',
    { ...regression, data: leaking((y) => Math.exp(y) + 0.001 * noise.uniform(-1, 1)) },
    { ...regression, data: leaking((y) => y + 0.5 * noise.uniform(-1, 1)) },
  ],
  [
    'target-among-inputs',
    { ...three, data: clouds((cloud) => [120, 250, 170][cloud]) },
    { ...three, data: clouds((cloud, i) => [1, 3, 2][cloud] + 0.3 * Math.sin(i)) },
  ],
  // A code with noise, beside columns that separate the classes less.
  [
    'target-among-inputs',
    { ...three, data: clouds((cloud, i) => [1, 3, 2][cloud] + 0.05 * Math.sin(i)) },
    { ...three, data: clouds((cloud, i) => [1, 3, 2][cloud] + 0.3 * Math.sin(i)) },
  ],
  // A category's effects, and a smooth function of a number.
  [
    'codes-as-quantities',
    { ...regression, data: coded((code) => [2, -1, 0, 3, -3, 1, -2, 0.5][code]) },
    { ...regression, data: coded((code) => 0.1 * (code - 3) ** 2) },
  ],
  [
    'classes-as-values',
    { ...regression, data: inline(240, 2, ([x, y]) => [10, 50, 40, 5][2 * Number(x > 0) + Number(y > 0)]) },
    { ...regression, data: inline(240, 2, ([x, y]) => (x + y < -0.5 ? 10 : x + y < 0.5 ? 20 : 50)) },
  ],
  ['values-as-classes', graded(([x, y]) => Math.round(4 * (x + y))), graded((_, i) => (i % 17) - 8)],
  [
    'mixed-units',
    { ...regression, data: changed((v, column, row) => (column === 0 ? (v + 2) * (row % 6 === 0 ? 100 : 1) : v)) },
    { ...regression, data: changed((v, column, row) => (column === 0 ? (v + 2) * (row % 6 === 0 ? 2 : 1) : v)) },
  ],
  // Meters and millimeters, in groups that are not far apart beside the range of the larger one.
  [
    'mixed-units',
    { ...regression, data: changed((v, column, row) => (column === 0 ? (v + 1.5) * (row % 2 ? 1000 : 1) : v)) },
    { ...regression, data: changed((v, column, row) => (column === 0 ? (v + 1.5) * (row % 2 ? 3 : 1) : v)) },
  ],
  // A copy with noise follows from the other columns as the target does; a cause of its own does not.
  ['target-among-inputs', { ...regression, data: copied }, { ...regression, data: dominated }],
  [
    'missing-as-number',
    { ...regression, data: changed((value, column, row) => (column === 0 && row % 12 === 0 ? -99 : value)) },
    { ...regression, data: changed((value, column, row) => (column === 0 && row % 12 === 0 ? -1.5 : value)) },
  ],
  [
    'unrelated-targets',
    { ...regression, data: inline(240, 2, () => noise.uniform(-1, 1)) },
    { ...regression, data: inline(240, 2, ([a, b]) => a * b + 0.3 * noise.uniform(-1, 1)) },
  ],
  ['few-samples', few({ samples: 30 }), few({ samples: 300 })],
  ['few-samples', few({ samples: 300, split: { validation: 0.95, test: 0 } }), few({ samples: 300 })],
  ['few-samples', few({ samples: 30 }), { ...few({ samples: 30 }), layers: hidden(8, 'relu', 2) }],
  [
    'norm-of-one',
    { ...classification, layers: norm({ type: 'group_norm', num_groups: 8 }) },
    { ...classification, layers: norm({ type: 'group_norm', num_groups: 2 }) },
  ],
  [
    'norm-of-few-numbers',
    { ...classification, layers: [linear(2), 'layer_norm', 'tanh', linear(2)] },
    { ...classification, layers: norm('layer_norm') },
  ],
  [
    'norm-on-input',
    { ...three, data: clouds((_, i) => Math.sin(i)), layers: ['layer_norm', ...hidden(4, 'tanh', 3)] },
    { ...three, data: clouds((_, i) => Math.sin(i)), layers: ['batch_norm1d', ...hidden(4, 'tanh', 3)] },
  ],
  [
    'norm-momentum',
    { ...classification, layers: norm({ type: 'batch_norm1d', momentum: 1 }) },
    { ...classification, layers: norm({ type: 'batch_norm1d', momentum: 0.3 }) },
  ],
  [
    'norm-momentum',
    { ...classification, layers: norm({ type: 'batch_norm1d', momentum: 0.001 }) },
    { ...classification, layers: norm({ type: 'batch_norm1d', momentum: 0.01 }) },
  ],
  [
    'large-norm-eps',
    { ...classification, layers: norm({ type: 'batch_norm1d', eps: 100 }) },
    { ...classification, layers: norm({ type: 'batch_norm1d', eps: 0.01 }) },
  ],
  [
    'compound-dropout',
    { ...classification, layers: [linear(8), 'dropout', 'tanh', 'dropout', linear(2)] },
    { ...classification, layers: [linear(8), 'dropout', 'tanh', linear(8), 'dropout', 'tanh', linear(2)] },
  ],
  [
    'pooled-early',
    large([{ type: 'max_pool2d', kernel_size: 4 }, convolution, 'relu']),
    large([convolution, 'relu', { type: 'max_pool2d', kernel_size: 4 }]),
  ],
  [
    'skipped-pixels',
    large([{ ...convolution, kernel_size: 2, stride: 6 }, 'relu']),
    large([{ ...convolution, kernel_size: 3, stride: 3 }, 'relu']),
  ],
  [
    'pixels-alone',
    large([{ ...convolution, kernel_size: 1 }, 'relu', { type: 'adaptive_avg_pool2d' }]),
    large([{ ...convolution, kernel_size: 1 }, 'relu', convolution, 'relu', { type: 'adaptive_avg_pool2d' }]),
  ],
  [
    'pixels-alone',
    large([{ ...convolution, kernel_size: 1 }, 'relu', { type: 'adaptive_avg_pool2d' }]),
    large([{ ...convolution, kernel_size: 1 }, 'relu']),
  ],
  // A falling grating in a mirror is a rising one; a disc stays a disc.
  [
    'augmentation-changes-class',
    gratings(flip),
    images([convolution, 'relu', 'flatten', linear(2)], { augment: flip }),
  ],
  [
    'unusual-betas',
    { ...classification, optimizer: { type: 'adam', betas: [0.999, 0.9] } },
    { ...classification, optimizer: { type: 'adam', betas: [0.5, 0.9] } },
  ],
  ['growing-rate', scheduled({ type: 'exponential', gamma: 1.1 }), scheduled({ type: 'exponential', gamma: 0.95 })],
  ['growing-rate', scheduled({ type: 'cosine', eta_min: 2 }), scheduled({ type: 'cosine', eta_min: 0.01 })],
  ['long-warmup', scheduled({ type: 'constant', warmup: 60 }), scheduled({ type: 'constant', warmup: 5 })],
  [
    'tiny-rate',
    scheduled({ type: 'linear', start_factor: 1, end_factor: 0, total_iters: 2 }),
    scheduled({ type: 'linear', start_factor: 1, end_factor: 0, total_iters: 45 }),
  ],
  [
    'tiny-clip',
    { ...classification, optimizer: 'adam', clip: { value: 1e-9 } },
    { ...classification, optimizer: 'adam', clip: { value: 0.001 } },
  ],
  [
    'large-effective-rate',
    { ...classification, optimizer: { type: 'rmsprop', lr: 0.01, momentum: 0.99 } },
    { ...classification, optimizer: { type: 'rmsprop', lr: 0.01, momentum: 0.9 } },
  ],
  [
    'large-effective-rate',
    { ...regression, loss: { type: 'sum_squared_error', scale: 1000 } },
    { ...regression, loss: { type: 'sum_squared_error', scale: 10 } },
  ],
  [
    'weightless-class',
    { ...classification, loss: { type: 'cross_entropy', weight: [1, 0.001] } },
    { ...classification, loss: { type: 'cross_entropy', weight: [1, 0.3] } },
  ],
  [
    'ignored-class',
    { ...classification, loss: { type: 'cross_entropy', ignore_index: 1 } },
    {
      ...three,
      data: { ...clouds((_, i) => Math.sin(i)), classes: 4 },
      layers: hidden(4, 'tanh', 4),
      loss: { type: 'cross_entropy', ignore_index: 3 },
    },
  ],
  ['padding-counted', filled('cross_entropy'), filled({ type: 'cross_entropy', ignore_index: 0 })],
  ['padding-counted', filled('cross_entropy'), tokens(16)],
  ['short-context', tokens(2), tokens(8)],
  ['padding-is-token', tokens(8, { padding_idx: 1 }), tokens(8)],
  [
    'large-initial-values',
    tokens(8, { init: { type: 'normal', std: 100 } }),
    tokens(8, { init: { type: 'normal', std: 2 } }),
  ],
  [
    'large-initial-values',
    { ...classification, layers: [linear(8, { bias_init: { type: 'constant', val: -50 } }), 'relu', linear(2)] },
    { ...classification, layers: [linear(8, { bias_init: { type: 'constant', val: 1 } }), 'relu', linear(2)] },
  ],
  [
    'large-init',
    { ...classification, layers: [linear(8, { init: { type: 'orthogonal', gain: 50 } }), 'tanh', linear(2)] },
    { ...classification, layers: [linear(8, { init: { type: 'orthogonal', gain: 1.7 } }), 'tanh', linear(2)] },
  ],
  [
    'large-init',
    { ...classification, layers: [linear(64), 'relu', linear(64, { init: 'uniform' }), 'relu', linear(2)] },
    { ...classification, layers: [linear(64), 'relu', linear(64, { init: 'xavier_uniform' }), 'relu', linear(2)] },
  ],
  [
    'large-initial-values',
    tokens(8, { init: { type: 'normal', std: 100 } }),
    // A regression may start at the mean of its targets.
    { ...regression, layers: [linear(4), 'tanh', linear(1, { bias_init: { type: 'constant', val: 30 } })] },
  ],
  [
    'large-initial-values',
    recurrent({ bias_init: { type: 'constant', val: -8 } }),
    recurrent({ bias_init: { type: 'constant', val: 1 } }),
  ],
  [
    'large-initial-values',
    recurrent({ recurrent_init: { type: 'orthogonal', gain: 4 } }),
    recurrent({ recurrent_init: { type: 'orthogonal', gain: 1 } }),
  ],
  [
    'frozen-at-random',
    { ...classification, layers: [linear(8, { freeze: ['weight'] }), 'tanh', linear(2)] },
    { ...classification, layers: [linear(8, { freeze: ['bias'] }), 'tanh', linear(2)] },
  ],
  ['leaked-samples', { ...classification, data: repeated(2) }, { ...classification, data: repeated(1) }],
  // Eight possible inputs.
  [
    'leaked-samples',
    { ...classification, data: repeated(2) },
    { data: { type: 'parity', length: 3, samples: 200 }, layers: ['flatten', linear(2)], loss: 'cross_entropy' },
  ],
  // A text repeats itself.
  ['leaked-samples', { ...classification, data: repeated(2) }, repetitive],
  [
    'class-spelling',
    {
      ...three,
      data: clouds(
        (_, i) => Math.sin(i),
        'labels',
        (cloud) => ['cat', 'Cat ', 'dog'][cloud],
      ),
    },
    {
      ...three,
      data: clouds(
        (_, i) => Math.sin(i),
        'labels',
        (cloud) => ['cat', 'cow', 'dog'][cloud],
      ),
    },
  ],
  [
    'absent-class',
    { ...three, data: { ...clouds((_, i) => Math.sin(i)), classes: 4 }, layers: hidden(4, 'tanh', 4) },
    { ...three, data: { ...clouds((_, i) => Math.sin(i)), classes: 3 } },
  ],
  [
    'input-is-row-number',
    { ...three, data: clouds((_, i) => i + 1) },
    { ...three, data: clouds((_, i) => (7 * i) % 240) },
  ],
  ['flat-kernel', { ...classification, layers: kernel(1e-8) }, { ...classification, layers: kernel(0.1) }],
  [
    'softmax-twice',
    { ...classification, layers: [...hidden(4, 'tanh', 2), 'softmax'] },
    {
      ...classification,
      layers: [...hidden(4, 'tanh', 2), 'softmax'],
      loss: 'cross_entropy_on_probabilities',
    },
  ],
  [
    'sigmoid-twice',
    { ...classification, layers: [...hidden(4, 'tanh', 1), 'sigmoid'], loss: 'bce_with_logits' },
    { ...classification, layers: [...hidden(4, 'tanh', 1), 'sigmoid'], loss: 'bce' },
  ],
  ['bounded-logits', { ...classification, layers: [...hidden(4, 'tanh', 2), 'tanh'] }, classification],
  [
    'sum-over-batch',
    { ...classification, loss: { type: 'cross_entropy', reduction: 'sum' } },
    { ...classification, loss: { type: 'cross_entropy', reduction: 'mean' } },
  ],
  [
    'independent-classes',
    { ...three, data: clouds((_, i) => Math.sin(i)), loss: 'bce_with_logits' },
    { ...three, data: clouds((_, i) => Math.sin(i)) },
  ],
  [
    'bias-before-norm',
    { ...classification, layers: [linear(8), 'batch_norm1d', 'tanh', linear(2)] },
    { ...classification, layers: [linear(8, { bias: false }), 'batch_norm1d', 'tanh', linear(2)] },
  ],
  [
    'softmax-of-one',
    { ...regression, layers: [...hidden(4, 'tanh', 1), 'softmax'] },
    { ...regression, layers: hidden(4, 'tanh', 1) },
  ],
  [
    'equal-units',
    { ...regression, layers: [linear(4, { init: 'zeros', bias_init: 'zeros' }), 'tanh', linear(1)] },
    { ...regression, layers: [linear(4), 'tanh', linear(1, { init: 'zeros', bias_init: 'zeros' })] },
  ],
  [
    'equal-outgoing',
    { ...classification, layers: [linear(4), 'tanh', linear(2, { init: 'zeros' })] },
    { ...regression, layers: [linear(4), 'tanh', linear(2, { init: 'zeros' }), linear(1)] },
  ],
  [
    'weights-one-sided',
    { ...regression, data: inline(40, 10, sum), layers: [linear(8, { init: 'uniform' }), 'sigmoid', linear(1)] },
    { ...regression, data: inline(40, 10, sum), layers: [linear(8, { init: 'uniform' }), 'relu', linear(1)] },
  ],
  ['nothing-to-train', { ...regression, data: inline(40, 1, sum), layers: ['tanh'] }, regression],
  [
    'not-scaled',
    { ...regression, data: changed((value) => 1000 + value) },
    { ...regression, data: changed((value) => value) },
  ],
];

/** About settings and files: below, and in custom-loss.test.ts. */
const elsewhere = [
  'unknown-rule',
  'channels-last',
  'custom-loss',
  'loss-reduction',
  'loss-mixes-samples',
  'loss-ignores-target',
  'loss-rewards-errors',
];

describe('a rule', () => {
  it.each(cases)('%s fires on its case and not on a similar one', (code, fires, quiet) => {
    expect(codes(fires)).toContain(code);
    expect(codes(quiet)).not.toContain(code);
  });

  it('has a case for each finding that it can make', () => {
    const tried = new Set([...cases.map(([code]) => code), ...elsewhere]);
    const all = specRules.flatMap(({ id, codes: own = [id] }) => own);
    expect(all.filter((code) => !tried.has(code))).toEqual([]);
  });
});

/** Nothing in the spec can repair the data. */
const withoutFix = new Set([
  'target-is-id',
  'outlier',
  'constant-target',
  'constant-inputs',
  'constant-feature',
  'contradictory-samples',
  'unrelated-labels',
  'unrelated-targets',
  'mixed-units',
  'codes-as-quantities',
  'leaked-samples',
  'class-spelling',
  'absent-class',
  'nothing-to-train',
]);

describe('a quick fix', () => {
  it.each(cases)('of %s removes the finding and adds none', (code, fires) => {
    const text = textOf(fires);
    const { fix } = problemsOf(text).find((problem) => problem.code === code) ?? {};
    expect(fix === undefined).toBe(withoutFix.has(code));
    if (!fix) return;
    const fixed = applyTextEdit(text, editSpec(text, fix.changes));
    const before = problemsOf(text).map((problem) => problem.code);
    const after = problemsOf(fixed).map((problem) => problem.code);
    expect(after).not.toContain(code);
    expect(before).toEqual(expect.arrayContaining(after));
  });
});

/** A file of single bytes as NumPy writes it. */
function npy(shape: readonly number[], valueAt: (index: number) => number): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117) + '\n';
  const size = shape.reduce((product, length) => product * length, 1);
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, 'latin1');
  return Buffer.concat([start, Uint8Array.from({ length: size }, (_, i) => valueAt(i))]);
}

describe('channels-last', () => {
  // 40 images, the first half darker.
  const codesOf = (shape: readonly number[], more: object = {}): string[] => {
    const size = shape.reduce((product, length) => product * length, 1);
    const files = inMemoryFiles({
      'x.npy': npy([40, ...shape], (i) => (i < 20 * size ? 30 : 160) + ((7 * i) % 64)),
      'y.npy': npy([40], (i) => Number(i >= 20)),
    });
    const text = textOf({
      ...classification,
      data: { type: 'npy', inputs: 'x.npy', labels: 'y.npy', divide_by: 255, ...more },
      layers: [convolution, 'relu', 'flatten', linear(2)],
    });
    const loaded = loadRun(text, files, { rules: specRules });
    expect(loaded.run).toBeDefined();
    return loaded.problems.map(({ code }) => code);
  };

  it('fires on images of height × width × channels, and its fix reads them as such', () => {
    expect(codesOf([8, 8, 3])).toContain('channels-last');
    expect(codesOf([8, 8, 3], { layout: 'hwc' })).not.toContain('channels-last');
  });

  it('keeps quiet about channels × height × width, and about small images', () => {
    expect(codesOf([3, 8, 8])).not.toContain('channels-last');
    expect(codesOf([4, 4, 4])).not.toContain('channels-last');
  });
});

describe('a number that stands for missing values', () => {
  const rows = Array.from({ length: 160 }, (_, i) => {
    const [a, b] = [Math.sin(7 * i), Math.cos(5 * i)];
    return [i % 9 === 4 ? -999 : a.toFixed(3), i % 11 === 2 ? -9999 : b.toFixed(3), (a + b).toFixed(3)].join(',');
  });
  const fixOf = (more: object): QuickFix | undefined =>
    loadRun(
      textOf({ ...regression, data: { type: 'csv', path: 'd.csv', task: 'values' }, ...more }),
      inMemoryFiles({ 'd.csv': ['a,b,y', ...rows].join('\n') }),
      { rules: specRules },
    ).problems.find(({ code }) => code === 'missing-as-number')?.fix;
  const expected = [
    { path: ['data', 'missing_values'], value: [-999, -9999] },
    { path: ['data', 'missing'], value: 'mean' },
  ];

  it('is listed as missing in a table, for all columns', () => {
    expect(fixOf({})?.changes).toEqual(expected);
  });

  it('is listed as the file has it, not as a transform leaves it', () => {
    expect(fixOf({ transforms: ['standardize'] })?.changes).toEqual(expected);
  });

  // Years, of which 0 is an unknown one.
  const years = (other: (i: number) => number, target: (i: number) => number, more: object) => {
    const lines = Array.from({ length: 160 }, (_, i) =>
      [i % 9 === 4 ? 0 : 1950 + ((37 * i) % 71), other(i), target(i)].join(','),
    );
    return loadRun(
      textOf({ ...regression, data: { type: 'csv', path: 'd.csv', task: 'values', inputs: ['a', 'b'] }, ...more }),
      inMemoryFiles({ 'd.csv': ['a,b,y', ...lines].join('\n') }),
      { rules: specRules },
    ).problems.find(({ code }) => code === 'missing-as-number')?.fix?.changes;
  };
  const bit = (i: number): number => (i * i) % 3 && 1;
  const real = (i: number): number => 2 + Math.sin(i);
  const classes = {
    data: { type: 'csv', path: 'd.csv', task: 'classes', inputs: ['a', 'b'] },
    layers: hidden(4, 'tanh', 2),
    loss: 'cross_entropy',
  };

  it.each([{}, { transforms: ['standardize'] }])(
    'is not listed where it is a value of another column or of the target: %o',
    (more) => {
      const listed = { path: ['data', 'missing_values'], value: [0] };
      const leftOut = [{ path: ['data', 'inputs'], value: ['b'] }];
      expect(years(real, real, more)).toContainEqual(listed);
      expect(years(bit, real, more)).toEqual(leftOut);
      expect(years(real, bit, more)).toEqual(leftOut);
      expect(years(real, bit, { ...classes, ...more })).toEqual(leftOut);
    },
  );
});

describe('a narrow layer', () => {
  const blobs = { ...classification, data: { type: 'blobs', samples: 120, centers: 4 } };
  const messagesWith = (activation: string): string =>
    problemsOf(textOf({ ...blobs, layers: hidden(1, activation, 4) }))
      .filter(({ code }) => code === 'narrow-layer')
      .map(({ message }) => message)
      .join();

  it('is cut off on one side only by an activation that is flat there', () => {
    expect(messagesWith('relu')).toContain('relu1 cuts off');
    for (const activation of ['sigmoid', 'softplus', 'tanh'])
      expect(messagesWith(activation)).not.toContain('cuts off');
  });
});

describe('an outlier', () => {
  it('is named by sample and column, with a scale of the others', () => {
    const found = problemsOf(textOf({ ...classification, data: withValue(3e38) }));
    const { message } = found.find(({ code }) => code === 'outlier')!;
    expect(message).toMatch(/input 1 of sample 50 .*3e\+38/);
    expect(found.map(({ code }) => code)).not.toContain('not-scaled');
  });
});

describe('an intercept', () => {
  it('is worth what it explains of the targets', () => {
    // y = 3 for x = ±1: without an intercept the error is 9, with one it is 0.
    const data = {
      type: 'inline',
      inputs: Array.from({ length: 40 }, (_, i) => [i % 2 ? 1 : -1]),
      targets: Array.from({ length: 40 }, (_, i) => (i % 4 < 2 ? 2 : 4)),
    };
    const found = problemsOf(textOf({ ...regression, data, layers: [linear(1, { bias: false })] }));
    const { message } = found.find(({ code }) => code === 'missing-bias')!;
    // The variance around 3 is 1: 9 + 1 without an intercept, 1 with one.
    expect(message).toMatch(/around 3\. .* error of 10 without a bias, and of 1 with one/);
  });
});

describe('settings', () => {
  const unscaled = { ...regression, data: inline(40, 2, (x) => 250_000 + 80_000 * sum(x)) };

  it('silence a rule, in the spec or for the user', () => {
    expect(codes({ ...unscaled, rules: { 'target-not-scaled': 'off' } })).toEqual([]);
    expect(codes(unscaled, { 'target-not-scaled': 'off' })).toEqual([]);
  });

  it('silence one of the codes of a rule', () => {
    const constant = { ...regression, data: inline(40, 2, () => 3) };
    expect(codes({ ...constant, rules: { 'constant-target': 'off' } })).toEqual([]);
    expect(codes({ ...constant, rules: { 'constant-data': 'off' } })).toEqual([]);
    expect(codes({ ...constant, rules: { 'constant-inputs': 'off' } })).toEqual(['constant-target']);
  });

  it('replace a threshold; those of the spec take precedence', () => {
    expect(codes({ ...unscaled, rules: { 'target-not-scaled': 1e6 } })).toEqual([]);
    expect(codes({ ...unscaled, rules: { 'target-not-scaled': 10 } }, { 'target-not-scaled': 1e6 })).toEqual([
      'target-not-scaled',
    ]);
  });

  it('warn of rules that do not exist and of thresholds that a rule does not have', () => {
    const text = textOf({ ...regression, rules: { 'target-not-scald': 'off', 'no-activation': 3 } });
    const found = problemsOf(text);
    expect(found.map(({ code }) => code)).toEqual(['unknown-rule', 'unknown-rule']);
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(['"target-not-scald"', '"no-activation"']);
    expect(found[0].remedy).toContain('"target-not-scaled"');
  });
});

describe('the stability limit of a linear regression', () => {
  it('separates runs that diverge from runs that converge', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.boolean(), (scale, above) => {
        // Loss mean (w x - y)² without a bias has the curvature 2 E[x²].
        const inputs = [[scale], [-scale], [2 * scale], [-2 * scale]];
        const limit = 2 / (2 * 2.5 * scale * scale);
        const spec = {
          data: { type: 'inline', inputs, targets: inputs.map(([x]) => x / scale) },
          layers: [linear(1)],
          loss: 'mse',
          batch_size: 'full',
        };
        // The curvature 2 of the bias is smaller for these scales.
        expect(codes({ ...spec, optimizer: sgd(limit * (above ? 1.01 : 0.99)) }).includes('unstable-rate')).toBe(above);
      }),
    );
  });
});

it('states no stability limit of a sum of losses', () => {
  const spec = { ...regression, data: inline(40, 1, ([x]) => x), layers: [linear(1)], batch_size: 'full' };
  const auxiliary_losses = [{ type: 'mae', loss_weight: 0.5 }];
  expect(codes({ ...spec, optimizer: sgd(1.2) })).toContain('unstable-rate');
  expect(codes({ ...spec, optimizer: sgd(1.2), auxiliary_losses })).not.toContain('unstable-rate');
});

describe('healthy examples', () => {
  const learning = new Set(cases.map(([code]) => code));
  it.each(names.filter((name) => !name.startsWith('wrong-')))(
    '%s has none of these findings, unless it shows one',
    (name) => {
      const { problems } = openExample(name);
      expect(problems.map(({ code }) => code).filter((code) => learning.has(code))).toEqual(shownFindings[name] ?? []);
    },
  );
});

describe('attention on values', () => {
  // Four time steps of two values; the target is the first one at the next step, or at the step before.
  const codesOf = (is_causal: boolean, shift: number): string[] => {
    const at = (sample: number, step: number): number => (17 * sample + 29 * (sample % 7) * step + 11 * step) % 120;
    const files = inMemoryFiles({
      'x.npy': npy([60, 4, 2], (i) => at(Math.floor(i / 8), (Math.floor(i / 2) % 4) + 1) + 100 * (i % 2)),
      'y.npy': npy([60, 4], (i) => at(Math.floor(i / 4), (i % 4) + 1 + shift)),
    });
    const text = textOf({
      data: { type: 'npy', inputs: 'x.npy', targets: 'y.npy' },
      layers: [linear(4), { type: 'multihead_attention', num_heads: 2, is_causal }, linear(1), 'flatten'],
      loss: 'mse',
    });
    return loadRun(text, files, { rules: specRules }).problems.map(({ code }) => code);
  };

  it('sees its target where that is a later input and it has no causal mask', () => {
    expect(codesOf(false, 1)).toContain('attention-sees-target');
    expect(codesOf(true, 1)).not.toContain('attention-sees-target');
    expect(codesOf(false, -1)).not.toContain('attention-sees-target');
  });
});

describe('thousands-as-decimals', () => {
  const problemsIn = (cells: readonly string[], more: object = {}, header = 'km;y'): readonly Problem[] => {
    const files = inMemoryFiles({ 'd.csv': `${header}\n${cells.map((cell, i) => `${cell};${i % 5}`).join('\n')}` });
    const data = { type: 'csv', path: 'd.csv', ...more };
    return loadRun(textOf({ ...regression, data }), files, { rules: specRules }).problems;
  };
  const thousands = Array.from({ length: 30 }, (_, i) => (i % 3 ? `${1 + (i % 9)}.${125 + 13 * i}` : `${300 + i}`));
  const codesOf = (cells: readonly string[], more?: object): string[] =>
    problemsIn(cells, more).map(({ code }) => code);

  it('fires where points are always ahead of three digits, beside whole numbers below 1,000', () => {
    const { fix } = problemsIn(thousands).find(({ code }) => code === 'thousands-as-decimals') ?? {};
    expect(fix?.changes).toEqual([
      { path: ['data', 'decimal'], value: ',' },
      { path: ['data', 'thousands'], value: '.' },
    ]);
    expect(codesOf(thousands, { decimal: ',', thousands: '.' })).not.toContain('thousands-as-decimals');
  });

  it.each([
    ['years', '2020', true],
    ['decimals', '0.5', false],
  ])('has a fix unless it would misread another column: %s', (_what, cell, isSafe) => {
    const problems = problemsIn(
      thousands.map((km) => `${cell};${km}`),
      {},
      'other;km;y',
    );
    const found = problems.find(({ code }) => code === 'thousands-as-decimals');
    expect(found?.fix !== undefined).toBe(isSafe);
    expect(found?.remedy.includes('other columns')).toBe(!isSafe);
  });

  it('does not fire on decimals', () => {
    expect(codesOf([...thousands, '2.5'])).not.toContain('thousands-as-decimals');
    expect(codesOf(thousands.filter((cell) => cell.includes('.')))).not.toContain('thousands-as-decimals');
  });
});
