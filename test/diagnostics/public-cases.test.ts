// Networks that did not learn, from public questions. What is said first of each names the cause that its answers name.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { Random } from '../../src/engine/random';
import { loadRun } from '../../src/model-spec';
import { noFiles } from '../support/data-files';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const sgd = (lr: number, more: object = {}): object => ({ type: 'sgd', lr, ...more });
const adam = (lr: number): object => ({ type: 'adam', lr });

const random = new Random(7, 'public-cases');
const rows = (samples: number, width: number): number[][] =>
  Array.from({ length: samples }, () => Array.from({ length: width }, () => random.uniform(-2, 2)));
const table = (key: 'targets' | 'labels', inputs: number[][], of: (x: number[], i: number) => number): object => ({
  type: 'inline',
  inputs,
  [key]: inputs.map(of),
});

const quartic = rows(200, 1).map(([x]) => [50 * x]);
const houses = rows(200, 8);
const digits = [0.5, 1, 1.5, 2].map((x) => [x]);
const corners = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const hidden = (units: number, activation: string, outputs: number): unknown[] => [
  linear(units),
  activation,
  linear(outputs),
];

const cases: readonly (readonly [question: string, code: string, spec: object])[] = [
  [
    'x⁴ of scaled inputs and targets as they are',
    'target-not-scaled',
    {
      data: table('targets', quartic, ([x]) => x ** 4),
      transforms: ['standardize'],
      layers: [linear(48), 'sigmoid', linear(48), 'elu', linear(1)],
      loss: 'mse',
      optimizer: adam(0.001),
    },
  ],
  [
    'prices of houses by sgd: datascience 19283 and others',
    'target-not-scaled',
    {
      data: table('targets', houses, (x) => 250_000 + 40_000 * (x[0] + x[1] - x[2])),
      layers: [linear(30), 'relu', linear(30), 'relu', linear(1)],
      loss: 'mse',
      optimizer: sgd(0.1),
    },
  ],
  [
    '95 % accuracy at once: stackoverflow 46759662',
    'imbalanced-classes',
    {
      data: table('labels', rows(300, 2), (_, i) => Number(i % 25 === 0)),
      layers: hidden(8, 'relu', 1),
      loss: 'bce_with_logits',
      optimizer: adam(0.01),
    },
  ],
  [
    'a linear regression that blows up for larger x',
    'unstable-rate',
    {
      data: table(
        'targets',
        rows(100, 1).map(([x]) => [4 * (x + 2)]),
        ([x]) => 5 * x + 3,
      ),
      layers: [linear(1, { init: 'zeros', bias_init: 'zeros' })],
      loss: 'mse',
      optimizer: sgd(0.05),
      batch_size: 'full',
    },
  ],
  [
    'a ReLU after the output: math.stackexchange 4483706',
    'activation-on-output',
    {
      data: table('targets', digits, ([x]) => 2 * x),
      layers: [linear(1, { weight: [[-0.8]], bias: [-0.1] }), 'relu'],
      loss: 'mse',
      optimizer: sgd(0.1),
      batch_size: 'full',
    },
  ],
  [
    'targets of 1 to 4 after tanh: stackoverflow 3644795',
    'target-out-of-range',
    {
      data: table('targets', corners, (_, i) => i + 1),
      layers: [...hidden(4, 'tanh', 1), 'tanh'],
      loss: 'mse',
      optimizer: sgd(0.1),
      batch_size: 'full',
    },
  ],
  [
    'XOR in one layer: ai.stackexchange 27010',
    'not-linearly-separable',
    {
      data: { type: 'xor', samples: 200, noise: 0.1 },
      layers: [linear(2)],
      loss: 'cross_entropy',
      optimizer: sgd(0.5),
    },
  ],
  [
    'bce of log-probabilities: stackoverflow 53628622',
    'not-probabilities',
    { data: 'circles', layers: [...hidden(8, 'tanh', 2), 'log_softmax'], loss: 'bce', optimizer: sgd(0.1) },
  ],
  [
    'a weight decay of 0.5',
    'strong-weight-decay',
    {
      data: 'circles',
      layers: hidden(16, 'tanh', 2),
      loss: 'cross_entropy',
      optimizer: sgd(0.1, { weight_decay: 0.5 }),
    },
  ],
  [
    'a momentum of 0.99',
    'large-effective-rate',
    {
      data: { type: 'linear', features: 3, noise: 0.1 },
      layers: [linear(1)],
      loss: 'mse',
      optimizer: sgd(0.5, { momentum: 0.99 }),
      batch_size: 16,
    },
  ],
  [
    'labels shuffled against rows',
    'unrelated-labels',
    {
      data: table('labels', rows(300, 3), () => Number(random.uniform(0, 1) < 0.5)),
      layers: [linear(64), 'relu', linear(64), 'relu', linear(2)],
      loss: 'cross_entropy',
      optimizer: adam(0.01),
    },
  ],
  [
    'nll after softmax',
    'not-log-probabilities',
    { data: 'circles', layers: [...hidden(8, 'tanh', 2), 'softmax'], loss: 'nll' },
  ],
  [
    'softmax between layers: stackoverflow 37588632',
    'softmax-inside',
    {
      data: 'spirals',
      layers: [linear(16), 'softmax', linear(16), 'softmax', linear(2)],
      loss: 'cross_entropy',
      optimizer: sgd(0.1),
    },
  ],
  [
    'a clip of 1e-6',
    'tiny-clip',
    {
      data: 'circles',
      layers: hidden(8, 'tanh', 2),
      loss: 'cross_entropy',
      optimizer: sgd(0.1),
      clip: { norm: 1e-6 },
    },
  ],
  [
    'tanh before bce: stats.stackexchange 616982',
    'not-probabilities',
    { data: 'circles', layers: [...hidden(8, 'tanh', 1), 'tanh'], loss: 'bce' },
  ],
  [
    'inputs that are all equal',
    'constant-inputs',
    {
      data: table('labels', [[3], [3], [3], [3]], (_, i) => i % 2),
      layers: hidden(4, 'tanh', 2),
      loss: 'cross_entropy',
      batch_size: 'full',
    },
  ],
];

describe('a public question about a network that does not learn', () => {
  it.each(cases)('%s: %s', (_question, code, spec) => {
    const { problems } = loadRun(JSON.stringify({ epochs: 50, ...spec }), noFiles, { rules: specRules });
    const warnings = problems.filter(({ severity }) => severity === 'warning');
    expect(warnings[0]?.code).toBe(code);
  });
});
