// The values of a sweep, validated at their position, and the resulting specs.
import { describe, expect, it } from 'vitest';
import { fingerprintSpec } from '../../src/model-spec/fingerprint';
import { parseSpec } from '../../src/model-spec/parse';
import { planSweep } from '../../src/sweep/plan';

const base = {
  data: 'circles',
  layers: [{ type: 'linear', out_features: 4, name: 'hidden' }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
};

const text = (sweep: object, more: object = {}): string => JSON.stringify({ ...base, ...more, sweep }, null, 2);

/** Each problem as the text of its range, and its code. */
const marks = (source: string): string[][] =>
  parseSpec(source).problems.map(({ start, end, code }) => [source.slice(start, end), code]);

describe('the plan of a sweep', () => {
  it('contains every combination, the last option varying fastest, each as a spec without a sweep', () => {
    const { plan } = planSweep(parseSpec(text({ 'optimizer.lr': [0.1, 1], seed: [3, 4, 5] })));
    expect(plan?.runs.map(({ settings }) => Object.values(settings))).toEqual([
      [0.1, 3],
      [0.1, 4],
      [0.1, 5],
      [1, 3],
      [1, 4],
      [1, 5],
    ]);
    expect(plan?.runs.map(({ text: run }) => JSON.parse(run) as object)).toEqual(
      [0.1, 1].flatMap((lr) => [3, 4, 5].map((seed) => ({ ...base, optimizer: { type: 'sgd', lr }, seed }))),
    );
  });

  it.each([
    ['optimizer.lr', 0.5, {}, { optimizer: { type: 'sgd', lr: 0.5 } }],
    ['optimizer.lr', 0.5, { optimizer: 'adam' }, { optimizer: { type: 'adam', lr: 0.5 } }],
    ['optimizer', 'adam', {}, { optimizer: 'adam' }],
    ['data.samples', 50, {}, { data: { type: 'circles', samples: 50 } }],
    ['data.split.test', 0.1, {}, { data: { type: 'circles', split: { test: 0.1 } } }],
    ['penalty.l2', 0.1, {}, { penalty: { l2: 0.1 } }],
    [
      'layers.0.out_features',
      9,
      {},
      { layers: [{ ...(base.layers[0] as object), out_features: 9 }, ...base.layers.slice(1)] },
    ],
    [
      'layers.hidden.out_features',
      9,
      {},
      { layers: [{ ...(base.layers[0] as object), out_features: 9 }, ...base.layers.slice(1)] },
    ],
    [
      'layers.linear2.bias',
      false,
      {},
      { layers: [...base.layers.slice(0, 2), { type: 'linear', out_features: 2, bias: false }] },
    ],
    ['layers.1', 'relu', {}, { layers: [base.layers[0], 'relu', base.layers[2]] }],
    ['layers', [{ type: 'linear', out_features: 2 }], {}, { layers: [{ type: 'linear', out_features: 2 }] }],
    ['gradient_check.every', 5, {}, { gradient_check: { every: 5 } }],
  ])('%s: %j is put where it belongs', (path, value, more, changed) => {
    const { plan, problems } = planSweep(parseSpec(text({ [path]: [value] }, more)));
    expect(problems).toEqual([]);
    expect(JSON.parse(plan?.runs[0].text ?? '')).toEqual({ ...base, ...more, ...changed });
  });

  it('replaces and extends the options of the spec', () => {
    const { plan } = planSweep(parseSpec(text({ 'optimizer.lr': [0.1, 1] })), [
      { path: 'seed', values: [1] },
      { path: 'optimizer.lr', values: [2] },
    ]);
    expect(plan?.runs.map(({ settings }) => settings)).toEqual([{ 'optimizer.lr': 2, seed: 1 }]);
  });

  it('reports mistakes in additional options', () => {
    const { plan, optionErrors } = planSweep(parseSpec(text({})), [{ path: 'optimizer.lrr', values: [2] }]);
    expect(plan).toBeUndefined();
    expect(optionErrors).toEqual([
      { option: 'optimizer.lrr', message: '"lrr" is not an option of sgd.', remedy: 'Did you mean "lr"?' },
    ]);
  });

  it('is undefined if a spec has no sweep', () => {
    expect(planSweep(parseSpec(JSON.stringify(base)))).toEqual({ problems: [], optionErrors: [] });
  });
});

describe('a mistake in a sweep is marked', () => {
  it.each([
    ['at a path that does not exist', { 'optimizer.lrr': [1] }, [['"optimizer.lrr"', 'unknown-key']]],
    ['at a part that does not exist', { 'optimiser.lr': [1] }, [['"optimiser.lr"', 'unknown-key']]],
    [
      'at a layer that does not exist',
      { 'layers.3.out_features': [1] },
      [['"layers.3.out_features"', 'invalid-sweep']],
    ],
    ['at a path into a number', { 'seed.x': [1] }, [['"seed.x"', 'invalid-sweep']]],
    [
      'at each value that is wrong',
      { 'optimizer.lr': [0.1, -1, 'a'] },
      [
        ['-1', 'out-of-range'],
        ['"a"', 'wrong-type'],
      ],
    ],
    ['at a value that is given twice', { seed: [1, 2, 1] }, [['1', 'duplicate-value']]],
    ['at an empty list', { seed: [] }, [['[]', 'out-of-range']]],
    ['at what is no list', { seed: 4 }, [['4', 'wrong-type']]],
    ['at a name', { name: ['a', 'b'] }, [['"name"', 'invalid-sweep']]],
    [
      'at what would take forever',
      {
        seed: Array.from({ length: 200 }, (_, i) => i),
        'optimizer.lr': Array.from({ length: 200 }, (_, i) => 0.1 + i),
      },
      [['"optimizer.lr"', 'too-many-runs']],
    ],
  ])('%s', (_, sweep, expected) => {
    expect(marks(text(sweep))).toEqual(expected);
  });

  it('even for a very long path, without throwing', () => {
    expect(marks(text({ [`data.${'a.'.repeat(100_000)}b`]: [1] }))[0][1]).toBe('invalid-sweep');
  });
});

it('a single run ignores the sweep', () => {
  const meaning = (source: string): object => fingerprintSpec(parseSpec(source).spec!);
  expect(meaning(text({ seed: [1, 2] }))).toEqual(meaning(JSON.stringify(base)));
});
