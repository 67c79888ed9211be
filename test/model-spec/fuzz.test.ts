// Any text: no exception, and problems that can be shown.
import type { Problem } from '../../src/protocol/problem';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { checkSpec, loadRun } from '../../src/model-spec/load';
import { parseSpec } from '../../src/model-spec/parse';
import { noFiles } from '../support/data-files';

function expectPresentable(text: string, problems: readonly Problem[]): void {
  for (const { code, start, end, message, remedy, severity } of problems) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(['error', 'warning', 'information']).toContain(severity);
    expect(Number.isInteger(start) && Number.isInteger(end)).toBe(true);
    expect(0 <= start && start <= end && end <= text.length).toBe(true);
    expect(message).toMatch(/\S[.?]$/);
    expect(remedy).toMatch(/\S[.?]$/);
    // Never the wording of the validation library.
    expect(message + remedy).not.toMatch(/invalid input|invalid_|undefined|\[object/i);
  }
}

function checkInvariants(text: string): void {
  const { spec, problems } = parseSpec(text);
  expectPresentable(text, problems);
  const hasError = problems.some(({ severity }) => severity === 'error');
  expect(spec === undefined).toBe(hasError);
  const checked = checkSpec(text, noFiles, { rules: specRules });
  expectPresentable(text, checked.problems);
  expect(checked.resolved === undefined).toBe(checked.problems.some(({ severity }) => severity === 'error'));
}

const specs = [
  {
    name: 'x',
    data: { type: 'circles', samples: 40, noise: 0.1, factor: 0.5, split: { validation: 0.2, test: 0.2 } },
    layers: [
      {
        type: 'linear',
        out_features: 2,
        in_features: 2,
        weight: [
          [1, 2],
          [3, 4],
        ],
        bias: [0, 1],
        freeze: ['bias'],
        name: 'a',
      },
      'tanh',
      { type: 'relu', scale: 5 },
      { type: 'linear', out_features: 2, init: { type: 'normal', std: 0.1 }, bias_init: 'zeros' },
    ],
    loss: { type: 'cross_entropy' },
    optimizer: { type: 'sgd', lr: 0.1, momentum: 0.9 },
    batch_size: 'full',
    epochs: 3,
    seed: 4,
    gradient_check: { every: 2, rtol: 1e-4 },
  },
  {
    data: {
      type: 'inline',
      inputs: [
        [1, 2],
        [3, 4],
      ],
      labels: ['a', 'b'],
      classes: ['a', 'b'],
    },
    layers: ['softmax'],
    loss: 'bce',
  },
  {
    data: {
      type: 'inline',
      inputs: [
        [1, 2],
        [3, 4],
      ],
      targets: [
        [1, 2],
        [3, 4],
      ],
      feature_names: ['a', 'b'],
    },
    layers: ['identity'],
    loss: 'mse',
  },
  {
    data: { type: 'csv', path: 'a.csv', inputs: ['a', 1], target: 2, delimiter: ';' },
    layers: ['tanh'],
    loss: { type: 'sum_squared_error', scale: 2 },
  },
  {
    data: {
      type: 'npz',
      path: 'a.npz',
      inputs: 'x',
      labels: 'y',
      classes: 10,
      limit: 5,
      pick: 'random',
      layout: 'hwc',
      divide_by: 255,
    },
    layers: ['flatten'],
    loss: 'bce',
  },
  { data: { type: 'npy', inputs: 'x.npy', targets: 'y.npy' }, layers: ['flatten'], loss: 'mse' },
  { data: { type: 'idx', images: 'i.gz', labels: 'l.gz', limit: 5 }, layers: ['flatten'], loss: 'bce' },
  {
    data: { type: 'images', classes: 2, size: 8 },
    transforms: [{ type: 'standardize', per: 'channel' }, 'zca'],
    augment: [{ type: 'random_crop', padding: 1 }, 'random_horizontal_flip'],
    layers: [
      { type: 'conv2d', out_channels: 2, kernel_size: [3, 3], stride: 1, padding: [1, 1] },
      'batch_norm2d',
      { type: 'max_pool2d', kernel_size: 2, stride: 2, padding: 1 },
      { type: 'avg_pool2d', kernel_size: [2, 2], count_include_pad: false },
      { type: 'repeat', times: 2, layers: ['relu', { type: 'dropout', p: 0.5 }] },
      { type: 'layer_norm', eps: 1e-5 },
      'flatten',
      { type: 'linear', out_features: 2, init: 'kaiming_normal', bias: false },
    ],
    loss: { type: 'cross_entropy', reduction: 'sum' },
    optimizer: { type: 'adam', lr: 0.01, betas: [0.9, 0.99], weight_decay: 0.1 },
    schedule: { type: 'cosine', per: 'step', warmup: 3, T_max: 10 },
    clip: { norm: 1 },
    penalty: { l1: 0.1, biases: true },
    sweep: { 'optimizer.lr': [0.1, 0.2], 'layers.conv2d1.out_channels': [1, 2] },
  },
  {
    data: 'noisy_sine',
    layers: [{ type: 'linear', out_features: 1 }],
    loss: 'mse',
    precision: 'float64',
    shuffle: false,
  },
];

/** Every path inside a value. */
function pathsOf(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    pathsOf(inner).map((path) => [Array.isArray(value) ? Number(key) : key, ...path]),
  );
  return [[], ...inside];
}

/** `value` with the value at `path` replaced, or removed if `by` is undefined. */
function replaceAt(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  // JSON lists have no such key.
  if (Array.isArray(value) && key === 'length') return value;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  // The length of a list is not a key in JSON.
  if (Array.isArray(value) && key === 'length') return copy;
  copy[key] = replaceAt(copy[key], rest, by);
  return copy;
}

const edgeCaseValues = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    0,
    -1,
    1.5,
    1e9,
    9007199254740991,
    1e308,
    '',
    'linear',
    'tanh',
    'full',
    'csv',
    [],
    {},
    null,
    true,
    undefined,
    [[]],
    [null],
  ),
  fc.integer(),
  fc.double(),
);

describe('any text', () => {
  it('gives a spec or problems', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), checkInvariants), { numRuns: 500 });
  });

  it("made of JSON's characters gives a spec or problems", () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"data"',
      '"layers"',
      '"loss"',
      '"type"',
      '"tanh"',
      '1',
      '-',
      'e',
      '//',
      '/*',
      '*/',
      '\n',
      '\\u',
      'true',
      'nul',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (list) => checkInvariants(list.join(''))),
      { numRuns: 500 },
    );
  });

  it('that is JSON gives a spec or problems', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), checkInvariants), { numRuns: 500 });
  });
});

describe('a valid spec', () => {
  const good = fc.constantFrom(...specs);

  it.each(specs)('is valid to begin with', (spec) => {
    const { problems } = parseSpec(JSON.stringify(spec));
    expect(problems).toEqual([]);
  });

  it('gives a spec or problems with any value replaced or removed', () => {
    const property = fc.property(good, fc.nat(), edgeCaseValues, (spec, which, by) => {
      const paths = pathsOf(spec);
      const changed = replaceAt(spec, paths[which % paths.length], by);
      checkInvariants(JSON.stringify(changed) ?? '');
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('loads or has problems with any value replaced', () => {
    const property = fc.property(good, fc.nat(), edgeCaseValues, (spec, which, by) => {
      const paths = pathsOf(spec);
      const text = JSON.stringify(replaceAt(spec, paths[which % paths.length], by)) ?? '';
      // With little memory, so that large sizes are rejected quickly.
      const { run, problems } = loadRun(text, noFiles, { rules: specRules, memoryLimit: 2 ** 20 });
      expectPresentable(text, problems);
      expect(run === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
    });
    fc.assert(property, { numRuns: 300, seed: 7 });
  });

  it('gives a spec or problems with any key added', () => {
    const property = fc.property(
      good,
      fc.nat(),
      fc.string({ unit: 'binary' }),
      edgeCaseValues,
      (spec, which, key, by) => {
        const paths = pathsOf(spec);
        checkInvariants(JSON.stringify(replaceAt(spec, [...paths[which % paths.length].slice(0, -1), key], by)));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('gives a spec or problems with every list emptied', () => {
    for (const spec of specs) {
      for (const path of pathsOf(spec)) checkInvariants(JSON.stringify(replaceAt(spec, path, [])));
      for (const path of pathsOf(spec)) checkInvariants(JSON.stringify(replaceAt(spec, path, [[]])));
    }
  });

  it('gives a spec or problems when truncated anywhere', () => {
    for (const spec of specs) {
      const text = JSON.stringify(spec, null, 1);
      for (let length = 0; length < text.length; length++) checkInvariants(text.slice(0, length));
    }
  });

  it('gives a spec or problems with any part replaced by other text', () => {
    const property = fc.property(
      good,
      fc.nat(),
      fc.nat(12),
      fc.string({ unit: 'binary', maxLength: 6 }),
      (spec, at, length, by) => {
        const text = JSON.stringify(spec, null, 1);
        const start = at % text.length;
        checkInvariants(text.slice(0, start) + by + text.slice(start + length));
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});
