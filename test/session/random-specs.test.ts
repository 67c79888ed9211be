// Random specs: an accepted spec runs with its inferred shapes, a step throws nothing, and the same seed gives the same
// bits; a rejected one has a problem with a position in its text.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { augmentations } from '../../src/engine/augmentations';
import { initializers } from '../../src/engine/initializers';
import { losses } from '../../src/engine/losses';
import { optimizers } from '../../src/engine/optimizers';
import { schedules } from '../../src/engine/schedules';
import { transforms } from '../../src/engine/transforms';
import {
  imageLayers,
  indexLayers,
  joinLayers,
  layerKinds,
  requiredOptions,
  rowLayers,
  sequenceLayers,
  singleInputLayers,
} from '../support/layers';
import { noFiles } from '../support/data-files';
import { layerOf } from '../support/network-fixtures';
import { blocks } from '../../src/model-spec/blocks';
import { loadRun } from '../../src/model-spec/load';
import { parseSpec } from '../../src/model-spec/parse';
import { TrainingSession } from '../../src/session/session';

const RUNS = 800;

/** The required options of components. */
const REQUIRED: Readonly<Record<string, object>> = {
  constant: { val: 0.3 },
  step: { step_size: 2, gamma: 0.5 },
  exponential: { gamma: 0.9 },
  random_crop: { padding: 1 },
};
const anyOf = (table: object) =>
  fc
    .constantFrom(...Object.keys(table))
    .map((type) => ({ type, ...(table === schedules && type === 'constant' ? {} : REQUIRED[type]) }));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

const size = fc.integer({ min: 1, max: 4 });
const pair = fc.oneof(size, fc.tuple(size, size));
const windows = { kernel_size: pair, stride: pair, padding: fc.integer({ min: 0, max: 2 }) };
const linear = fc.record({
  type: fc.constant('linear'),
  out_features: size,
  bias: fc.constantFrom(true, undefined),
  init: anyOf(initializers),
  bias_init: maybe(anyOf(initializers)),
});

const layer = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...singleInputLayers).map((type) => ({ type, ...requiredOptions(type) })) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('conv2d'), out_channels: size, ...windows, bias: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('max_pool2d', 'avg_pool2d'), ...windows }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('batch_norm1d', 'batch_norm2d'),
      affine: fc.boolean(),
      track_running_stats: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('rnn', 'gru', 'lstm'),
      hidden_size: size,
      return: fc.constantFrom('last', 'all', undefined),
      bias: fc.boolean(),
      num_layers: fc.constantFrom(1, 2, undefined),
      bidirectional: fc.constantFrom(true, false, undefined),
      dropout: fc.constantFrom(0, 0.5, undefined),
      init: maybe(anyOf(initializers)),
      recurrent_init: maybe(anyOf(initializers)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('slice'), start: fc.nat(1), shape: fc.constantFrom([1], [2], [1, 2]) }),
  },
  { weight: 2, arbitrary: fc.constantFrom({ type: 'flatten' }, { type: 'linear', out_features: 4 }, { type: 'tanh' }) },
  { weight: 5, arbitrary: linear },
);
const { layers } = fc.letrec<{ layers: object[] }>((tie) => ({
  layers: fc.array(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 6, arbitrary: layer },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('repeat'),
          times: fc.integer({ min: 1, max: 2 }),
          layers: tie('layers').filter(({ length }) => length > 0),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('residual'),
          layers: tie('layers').filter(({ length }) => length > 0),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('parallel'),
          branches: fc.array(fc.oneof(fc.constant([]), tie('layers')), { minLength: 2, maxLength: 3 }),
          merge: fc.constantFrom('add', 'multiply', 'concat', 'concat'),
        }),
      },
    ),
    { maxLength: 4 },
  ),
}));

/** Samples of indices. */
const inputs = Array.from({ length: 12 }, (_, i) => [i % 5, (i * i) % 5, (3 * i) % 4]);
const indices = { type: 'inline', inputs, labels: inputs.map(([index]) => index % 2) };

const classes = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('images'),
      samples: fc.constant(12),
      classes: fc.constant(2),
      size: fc.integer({ min: 4, max: 9 }),
      channels: size,
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom('circles', 'moons', 'spirals').map((type) => ({ type, samples: 12 })) },
  { weight: 1, arbitrary: fc.constant({ type: 'blobs', samples: 12, centers: 2, features: 3 }) },
  { weight: 1, arbitrary: fc.constant(indices) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('parity'), samples: fc.constant(12), length: size }) },
);
const values = fc
  .constantFrom('noisy_sine', 'function', 'linear', 'adding', 'sorting')
  .map((type) => ({ type, samples: 12 }));

/** Losses on logits, on probabilities after their activation, and on values, mostly with suitable data. */
const ends = [
  { data: classes, last: [2], then: [[]], loss: ['cross_entropy', 'multi_margin'] },
  { data: classes, last: [1], then: [[]], loss: ['bce_with_logits', 'hinge', 'squared_hinge'] },
  {
    data: classes,
    last: [2],
    then: [['softmax'], ['sigmoid']],
    loss: ['cross_entropy_on_probabilities', 'bce', 'mse'],
  },
  { data: classes, last: [2], then: [['log_softmax']], loss: ['nll'] },
  { data: values, last: [1], then: [[]], loss: ['mse', 'mae', 'huber', 'sum_squared_error'] },
  { data: fc.oneof(classes, values), last: [1, 2, 3], then: [[]], loss: Object.keys(losses) },
] as const;
const end = fc.constantFrom(...ends).chain(({ data, last, then, loss }) =>
  fc.record({
    data,
    last: fc.constantFrom<number[]>(...last),
    then: fc.constantFrom<(readonly string[])[]>(...then),
    loss: fc.record({
      type: fc.constantFrom<string[]>(...loss),
      reduction: fc.constantFrom(undefined, undefined, undefined, 'sum'),
    }),
  }),
);

const SEQUENCES = ['parity', 'adding', 'sorting'];

/** A layer that takes such data. */
function pickFirst(data: string, choice: number): object {
  const kinds =
    data === 'images'
      ? imageLayers
      : data === 'inline'
        ? indexLayers
        : SEQUENCES.includes(data)
          ? sequenceLayers
          : rowLayers;
  const layers = [
    ...kinds.map((type) => ({ type, ...requiredOptions(type) })),
    ...joinLayers.map((type) => ({ type, inputs: ['input', 'input'] })),
  ];
  return layers[choice % layers.length];
}

/** After an embedding of the indices, a layer that leaves out padding. */
const padded = fc.constantFrom(...layerKinds.filter((kind) => layerOf(kind).paddingIndex)).map((type) => [
  { type: 'embedding', ...requiredOptions('embedding'), padding_idx: 0 },
  { type, ...requiredOptions(type), padding_idx: 0 },
]);

const spec = fc
  .record({
    end,
    padded: fc.option(padded, { nil: undefined, freq: 1 }),
    first: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
    hidden: layers,
    init: maybe(anyOf(initializers)),
    flat: fc.boolean(),
    batch_size: fc.constantFrom(1, 3, 5, 'full'),
    precision: fc.constantFrom('float32', 'float64'),
    seed: fc.nat(),
    optimizer: anyOf(optimizers).map((each) => ({ ...each, lr: 0.05 })),
    schedule: anyOf(schedules).chain((each) =>
      fc.record({ per: fc.constantFrom('step', 'epoch'), warmup: fc.nat(2) }).map((more) => ({ ...each, ...more })),
    ),
    transforms: fc.array(anyOf(transforms), { maxLength: 2 }),
    augment: maybe(fc.array(anyOf(augmentations), { maxLength: 2 })),
    clip: fc.constantFrom(undefined, { norm: 0.5 }, { value: 0.1 }),
    penalty: fc.constantFrom(undefined, { l1: 0.01 }, { l2: 0.1, biases: true }),
  })
  .map(({ end: { data, last, then, loss }, first, padded: sequence, hidden, init, flat, augment, ...rest }) => ({
    ...rest,
    data,
    // Indices stay as they are.
    ...(data.type === 'inline' && { transforms: [] }),
    ...(data.type === 'images' && augment && { augment }),
    loss,
    layers: [
      ...(data.type === 'inline' && sequence ? sequence : first === undefined ? [] : [pickFirst(data.type, first)]),
      ...hidden,
      ...(flat || ['images', 'inline'].includes(data.type) || SEQUENCES.includes(data.type)
        ? [{ type: 'flatten' }]
        : []),
      { type: 'linear', out_features: last, init },
      ...then,
    ],
  }));

/** The kinds of components of a random spec under a key, at any depth. */
function kindsIn(value: unknown, key: string, under = false): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([own, inner]) =>
    own === 'type' && under ? [String(inner)] : kindsIn(inner, key, own === key || (under && Array.isArray(value))),
  );
}

it('runs with the inferred shapes if accepted, and has a position for each problem if rejected', () => {
  const counts = { accepted: 0, refused: 0 };
  const kinds = new Set<string>();
  const seen = new Map(
    ['transforms', 'augment', 'loss', 'optimizer', 'schedule', 'init'].map((family) => [family, new Set<string>()]),
  );
  fc.assert(
    fc.property(spec, (drawn) => {
      const text = JSON.stringify(drawn);
      const { run, problems } = loadRun(text, noFiles);
      if (!run) {
        counts.refused++;
        expect(problems.length).toBeGreaterThan(0);
        for (const { start, end: stop, remedy } of problems) {
          expect(stop).toBeGreaterThan(start);
          expect(stop).toBeLessThanOrEqual(text.length);
          expect(remedy).not.toBe('');
        }
        return;
      }
      counts.accepted++;
      for (const [family, those] of seen) for (const kind of kindsIn(drawn, family)) those.add(kind);
      for (const kind of Object.keys(blocks)) if (text.includes(`"${kind}"`)) kinds.add(kind);
      const [session, again] = [0, 1].map(() => new TrainingSession(run, text));
      expect(session.model.layers.map(({ name }) => name)).toEqual(
        parseSpec(text).spec?.layers.map(({ name }) => name),
      );
      for (const { kind } of session.model.layers) kinds.add(kind);
      for (const each of [session, again]) each.step();
      session.pass.outputs.forEach(({ shape, data }, i) => {
        const told = session.model.layers[i].outputShape;
        expect(shape.slice(1)).toEqual(told);
        expect(data.length).toBe(told.reduce((product, n) => product * n, session.pass.batchSize));
      });
      expect(session.network.memoryBytes).toBeLessThanOrEqual(run.memory);
      session.evaluate();
      expect(again.stateHash()).toBe(session.stateHash());
    }),
    { numRuns: RUNS, seed: 11 },
  );
  expect(counts.accepted).toBeGreaterThan(RUNS / 5);
  expect(counts.refused).toBeGreaterThan(RUNS / 5);
  // Two matrices that fit a matrix product are rarely drawn.
  const missedKinds = [...layerKinds, ...Object.keys(blocks)].filter((kind) => !kinds.has(kind) && kind !== 'matmul');
  expect(missedKinds).toEqual([]);
  const families = {
    transforms,
    augment: augmentations,
    loss: losses,
    optimizer: optimizers,
    schedule: schedules,
    init: initializers,
  };
  const missed = Object.entries(families).flatMap(([family, table]) =>
    Object.keys(table)
      .filter((kind) => !seen.get(family)?.has(kind))
      .map((kind) => `${family} ${kind}`),
  );
  expect(missed).toEqual([]);
});
