// Networks with one planted fault each, and what is right to say of them first. Written from the list of faults in
// Humbatova et al., "Taxonomy of real faults in deep learning systems", 2020, and from public questions.
import { Random } from '../../src/engine/random';

export interface BrokenModel {
  readonly kind: string;
  /** Codes that name the fault. */
  readonly expected: readonly string[];
  /** Nothing in the spec can repair it. */
  readonly isInData?: true;
  readonly spec: object;
}

/** What a kind of fault is planted into. */
interface Healthy {
  /** Classification with two logits. */
  readonly classifier: Base;
  readonly regression: Base;
  readonly random: Random;
}

interface Base {
  readonly data: object;
  readonly hidden: readonly object[];
  readonly activation: string;
  readonly outputs: object;
  readonly loss: string;
  readonly optimizer: { readonly type: string; readonly lr: number };
  readonly more: object;
}

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });

/** @param end layers after the last linear one */
const build = ({ data, hidden, activation, outputs, loss, optimizer, more }: Base, end: readonly unknown[] = []) => ({
  data,
  layers: [...hidden.flatMap((layer) => [layer, activation]), outputs, ...end],
  loss,
  optimizer,
  ...more,
});

function inlineData(
  random: Random,
  target: (x: readonly number[], i: number) => number,
  { samples = 160, scale = 1, key = 'targets' as 'targets' | 'labels' } = {},
): object {
  const inputs = Array.from({ length: samples }, () =>
    Array.from({ length: 3 }, () => Number((scale * random.uniform(-1.7, 1.7)).toPrecision(6))),
  );
  return {
    type: 'inline',
    inputs,
    [key]: inputs.map((x, i) =>
      target(
        x.map((value) => value / scale),
        i,
      ),
    ),
    split: { validation: 0.2, test: 0 },
  };
}

/** The same samples with other columns. */
function withColumns(data: object, columns: (x: readonly number[], i: number) => readonly number[]): object {
  const { inputs } = data as { readonly inputs: readonly (readonly number[])[] };
  return { ...data, inputs: inputs.map(columns) };
}

const smooth = ([a = 0, b = 0, c = 0]: readonly number[]): number => Number((a * b + 0.5 * c).toPrecision(6));

function healthy(seed: number): Healthy {
  const random = new Random(seed, 'broken-models');
  const width = 8 + 4 * (seed % 5);
  const depth = 1 + (seed % 2);
  const hidden = Array.from({ length: depth }, () => linear(width));
  const activation = seed % 3 === 0 ? 'relu' : 'tanh';
  const more = { epochs: 120, batch_size: 16, seed };
  const optimizer = seed % 2 ? { type: 'adam', lr: 0.01 } : { type: 'sgd', lr: 0.1 };
  return {
    classifier: {
      data: { type: seed % 2 ? 'moons' : 'circles', samples: 160 },
      hidden,
      activation,
      outputs: linear(2),
      loss: 'cross_entropy',
      optimizer,
      more,
    },
    regression: {
      data: inlineData(random, smooth),
      hidden,
      activation,
      outputs: linear(1),
      loss: 'mse',
      optimizer,
      more,
    },
    random,
  };
}

type Plant = (healthy: Healthy) => object;

const sgd = (lr: number, more: object = {}) => ({ type: 'sgd', lr, ...more });
const adam = (lr: number) => ({ type: 'adam', lr });
const constant = (val: number): object => ({ type: 'constant', val });

const KINDS: readonly (readonly [kind: string, expected: readonly string[], plant: Plant, isInData?: true])[] = [
  ['softmax before cross_entropy', ['softmax-twice'], ({ classifier }) => build(classifier, ['softmax'])],
  [
    'sigmoid before bce_with_logits',
    ['sigmoid-twice'],
    ({ classifier }) => build({ ...classifier, outputs: linear(1), loss: 'bce_with_logits' }, ['sigmoid']),
  ],
  ['tanh before cross_entropy', ['bounded-logits'], ({ classifier }) => build(classifier, ['tanh'])],
  [
    'logits into bce',
    ['not-probabilities'],
    ({ classifier }) => build({ ...classifier, outputs: linear(1), loss: 'bce' }),
  ],
  [
    'tanh into bce',
    ['not-probabilities'],
    ({ classifier }) => build({ ...classifier, outputs: linear(1), loss: 'bce' }, ['tanh']),
  ],
  [
    'softmax into nll',
    ['not-log-probabilities'],
    ({ classifier }) => build({ ...classifier, loss: 'nll' }, ['softmax']),
  ],
  ['logits into nll', ['not-log-probabilities'], ({ classifier }) => build({ ...classifier, loss: 'nll' })],
  [
    'no activation',
    ['no-activation', 'not-linearly-separable'],
    ({ classifier }) => ({
      ...build({ ...classifier, data: { type: 'circles', samples: 160 } }),
      layers: [linear(16), linear(2)],
    }),
  ],
  [
    'a line for data without one',
    ['not-linearly-separable'],
    ({ classifier }) => ({
      ...build({ ...classifier, data: { type: 'circles', samples: 160 } }),
      layers: [linear(2)],
    }),
  ],
  [
    'weights of zero',
    ['equal-units', 'equal-outgoing', 'zero-gradient'],
    ({ classifier }) =>
      build({
        ...classifier,
        hidden: classifier.hidden.map((layer) => ({ ...layer, init: 'zeros' })),
        outputs: linear(2, { init: 'zeros' }),
      }),
  ],
  [
    'equal weights',
    ['equal-units'],
    ({ regression }) =>
      build({
        ...regression,
        hidden: regression.hidden.map((layer) => ({ ...layer, init: constant(0.2), bias_init: 'zeros' })),
      }),
  ],
  [
    'bias that kills units',
    ['large-initial-values', 'dead-units', 'zero-gradient'],
    ({ classifier }) =>
      build({
        ...classifier,
        hidden: [linear(16, { bias_init: constant(-20) })],
        activation: 'relu',
        optimizer: sgd(0.1),
      }),
  ],
  [
    'rate far too large, sgd',
    ['large-effective-rate', 'update-too-large'],
    ({ classifier }) => build({ ...classifier, optimizer: sgd(60) }),
  ],
  [
    'rate too large, adam',
    ['large-adaptive-rate', 'update-too-large', 'other-rate'],
    ({ classifier }) => build({ ...classifier, activation: 'relu', optimizer: adam(3) }),
  ],
  [
    'rate too small',
    ['tiny-rate', 'update-too-small', 'other-rate'],
    ({ classifier }) => build({ ...classifier, optimizer: sgd(1e-6) }),
  ],
  ['rate of zero', ['zero-rate'], ({ classifier }) => build({ ...classifier, optimizer: sgd(0) })],
  [
    'momentum too high',
    ['large-effective-rate'],
    ({ classifier }) => build({ ...classifier, optimizer: sgd(0.5, { momentum: 0.995 }) }),
  ],
  [
    'weight decay too large',
    ['strong-weight-decay', 'decay-outweighs-loss'],
    ({ classifier }) => build({ ...classifier, optimizer: sgd(0.1, { weight_decay: 0.6 }) }),
  ],
  [
    'penalty too large',
    ['strong-weight-decay', 'decay-outweighs-loss'],
    ({ classifier }) =>
      build({ ...classifier, optimizer: sgd(0.1), more: { ...classifier.more, penalty: { l2: 0.5 } } }),
  ],
  [
    'clip too small',
    ['tiny-clip', 'always-clipped'],
    ({ classifier }) =>
      build({ ...classifier, optimizer: sgd(0.1), more: { ...classifier.more, clip: { norm: 1e-5 } } }),
  ],
  [
    'schedule that ends early',
    ['tiny-rate', 'rate-near-zero'],
    ({ classifier }) =>
      build({
        ...classifier,
        optimizer: sgd(0.1),
        more: { ...classifier.more, schedule: { type: 'exponential', gamma: 0.1, per: 'step' } },
      }),
  ],
  [
    'inputs not scaled',
    ['not-scaled', 'unstable-rate'],
    ({ regression, random }) =>
      build({ ...regression, activation: 'tanh', data: inlineData(random, smooth, { scale: 2000 }) }),
  ],
  [
    'targets not scaled',
    ['target-not-scaled'],
    ({ regression, random }) => build({ ...regression, data: inlineData(random, (x) => 250_000 + 80_000 * smooth(x)) }),
    true,
  ],
  [
    'targets outside of tanh',
    ['target-out-of-range'],
    ({ regression, random }) => build({ ...regression, data: inlineData(random, (x) => 4 + 2 * smooth(x)) }, ['tanh']),
  ],
  ['sigmoid on a regression', ['target-out-of-range'], ({ regression }) => build(regression, ['sigmoid'])],
  [
    'relu on a regression',
    ['activation-on-output', 'target-out-of-range'],
    ({ regression, random }) => build({ ...regression, data: inlineData(random, (x) => -3 + smooth(x)) }, ['relu']),
  ],
  ['softmax of one output', ['softmax-of-one'], ({ regression }) => build(regression, ['softmax'])],
  [
    'softmax between layers',
    ['softmax-inside'],
    ({ classifier }) =>
      build({ ...classifier, hidden: [linear(16), linear(16)], activation: 'softmax', optimizer: sgd(0.1) }),
  ],
  [
    'deep network of sigmoids',
    ['vanishing-gradient'],
    ({ classifier }) =>
      build({
        ...classifier,
        hidden: Array.from({ length: 9 }, () => linear(12)),
        activation: 'sigmoid',
        optimizer: sgd(0.1),
      }),
  ],
  [
    'everything frozen',
    ['nothing-to-train'],
    ({ classifier }) =>
      build({
        ...classifier,
        hidden: classifier.hidden.map((layer) => ({ ...layer, freeze: ['weight', 'bias'] })),
        outputs: linear(2, { freeze: ['weight', 'bias'] }),
      }),
  ],
  [
    'labels at random',
    ['unrelated-labels', 'memorizing'],
    ({ classifier, random }) =>
      build({ ...classifier, data: inlineData(random, () => Number(random.uniform(0, 1) < 0.5), { key: 'labels' }) }),
    true,
  ],
  [
    'rare class',
    ['imbalanced-classes', 'predicts-one-class'],
    ({ classifier, random }) =>
      build({
        ...classifier,
        data: inlineData(random, (_, i) => Number(i % 25 === 0), { samples: 400, key: 'labels' }),
        more: { ...classifier.more, epochs: 20 },
      }),
    true,
  ],
  [
    'constant target',
    ['constant-target'],
    ({ regression, random }) => build({ ...regression, data: inlineData(random, () => 2) }),
    true,
  ],
  [
    'dropout of nearly everything',
    ['strong-dropout'],
    ({ classifier }) =>
      build({ ...classifier, hidden: [...classifier.hidden, { type: 'dropout', p: 0.97 }], activation: 'tanh' }),
  ],
  [
    'one statistic for all columns',
    ['unequal-scales'],
    ({ regression, random }) =>
      build({
        ...regression,
        data: withColumns(inlineData(random, smooth), ([a = 0, b = 0, c = 0]) => [a, 1000 * b + 4000, c]),
        more: { ...regression.more, transforms: [{ type: 'standardize', per: 'all' }] },
      }),
  ],
  [
    'class numbers as values',
    ['classes-as-values'],
    ({ regression, random }) =>
      build({
        ...regression,
        data: inlineData(random, ([a = 0, b = 0]) => (a > 0.55 ? 0 : b > 0 ? 2 : 1), { samples: 200 }),
      }),
  ],
  [
    'column that is a function of the target',
    ['target-among-inputs'],
    ({ regression, random }) =>
      build({
        ...regression,
        data: withColumns(inlineData(random, smooth), (x) => [...x, Math.exp(smooth(x))]),
      }),
  ],
  [
    'two units in a column',
    ['mixed-units'],
    ({ regression, random }) =>
      build({
        ...regression,
        data: withColumns(inlineData(random, smooth), ([a = 0, ...others], i) => [
          (a + 3) * (i % 7 === 0 ? 1000 : 1),
          ...others,
        ]),
      }),
    true,
  ],
  [
    'targets shifted by a row',
    ['unrelated-targets'],
    ({ regression, random }) => {
      const data = inlineData(random, smooth) as { readonly targets: readonly number[] };
      return build({ ...regression, data: { ...data, targets: [...data.targets.slice(1), data.targets[0]] } });
    },
    true,
  ],
  [
    'running statistics of the last batch',
    ['norm-momentum'],
    ({ classifier }) =>
      build({
        ...classifier,
        hidden: [linear(16, { bias: false }), { type: 'batch_norm1d', momentum: 1 }],
        more: { ...classifier.more, batch_size: 8 },
      }),
  ],
  [
    'normalization of single numbers',
    ['norm-of-one'],
    ({ classifier }) =>
      build({ ...classifier, hidden: [linear(16), { type: 'group_norm', num_groups: 16 }], activation: 'relu' }),
  ],
  [
    'decay rates in the wrong order',
    ['unusual-betas'],
    ({ classifier }) => build({ ...classifier, optimizer: { type: 'adam', lr: 0.01, ...{ betas: [0.999, 0.9] } } }),
  ],
  [
    'rate that grows',
    ['growing-rate'],
    ({ classifier }) =>
      build({ ...classifier, more: { ...classifier.more, schedule: { type: 'exponential', gamma: 1.1 } } }),
  ],
  [
    'warm-up longer than the run',
    ['long-warmup'],
    ({ classifier }) =>
      build({
        ...classifier,
        optimizer: sgd(0.1),
        more: { ...classifier.more, schedule: { type: 'constant', warmup: 20_000, per: 'step' } },
      }),
  ],
  [
    'ignored class',
    ['ignored-class'],
    ({ classifier }) => ({ ...build(classifier), loss: { type: 'cross_entropy', ignore_index: 1 } }),
  ],
];

/** As many of each kind as come up to the count. */
export const brokenModels = (count: number): BrokenModel[] =>
  Array.from({ length: count }, (_, i) => {
    const [kind, expected, plant, isInData] = KINDS[i % KINDS.length];
    const seed = Math.floor(i / KINDS.length) * 7 + (i % 5);
    return { kind, expected, spec: plant(healthy(seed)), ...(isInData && { isInData }) };
  });

export const BROKEN_KINDS = KINDS.length;
