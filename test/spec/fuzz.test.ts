// Whatever is typed: no exception, and problems that can be shown.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/health/rules';
import { checkSpec } from '../../src/spec/load';
import { parseSpec } from '../../src/spec/parse';
import type { Problem } from '../../src/spec/problem';
import { noFiles } from '../support/files';

function expectPresentable(text: string, problems: readonly Problem[]): void {
  for (const { code, start, end, message, remedy, severity } of problems) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(['error', 'warning']).toContain(severity);
    expect(Number.isInteger(start) && Number.isInteger(end)).toBe(true);
    expect(0 <= start && start <= end && end <= text.length).toBe(true);
    expect(message).toMatch(/\S[.?]$/);
    expect(remedy).toMatch(/\S[.?]$/);
    // Never the words of the validation library.
    expect(message + remedy).not.toMatch(/invalid input|invalid_|undefined|\[object/i);
  }
}

function judge(text: string): void {
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
      { type: 'linear', out_features: 2, in_features: 2, weight: [[1, 2], [3, 4]], bias: [0, 1], freeze: ['bias'], name: 'a' },
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
  { data: { type: 'inline', inputs: [[1, 2], [3, 4]], labels: ['a', 'b'], classes: ['a', 'b'] }, layers: ['softmax'], loss: 'bce' },
  { data: { type: 'inline', inputs: [[1, 2], [3, 4]], targets: [[1, 2], [3, 4]], feature_names: ['a', 'b'] }, layers: ['identity'], loss: 'mse' },
  { data: { type: 'csv', path: 'a.csv', inputs: ['a', 1], target: 2, delimiter: ';' }, layers: ['tanh'], loss: { type: 'sum_squared_error', scale: 2 } },
  { data: { type: 'npz', path: 'a.npz', inputs: 'x', labels: 'y', classes: 10, limit: 5, pick: 'random', layout: 'hwc', divide_by: 255 }, layers: ['flatten'], loss: 'bce' },
  { data: { type: 'npy', inputs: 'x.npy', targets: 'y.npy' }, layers: ['flatten'], loss: 'mse' },
  { data: { type: 'idx', images: 'i.gz', labels: 'l.gz', limit: 5 }, layers: ['flatten'], loss: 'bce' },
  { data: 'noisy_sine', layers: [{ type: 'linear', out_features: 1 }], loss: 'mse', precision: 'float64', shuffle: false },
];

/** Every path inside a value. */
function pathsOf(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  const inside = Object.entries(value).flatMap(([key, inner]) =>
    pathsOf(inner).map((path) => [Array.isArray(value) ? Number(key) : key, ...path]),
  );
  return [[], ...inside];
}

/** `value` with what stands at `path` replaced, or removed where `by` is undefined. */
function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  // No text can say it: a list in JSON has no such key.
  if (Array.isArray(value) && key === 'length') return value;
  const copy: Record<string | number, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  // A list's length is no key that JSON could write.
  if (Array.isArray(value) && key === 'length') return copy;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const oddValues = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(0, -1, 1.5, 1e9, 9007199254740991, 1e308, '', 'linear', 'tanh', 'full', 'csv', [], {}, null, true, undefined, [[]], [null]),
  fc.integer(),
  fc.double(),
);

describe('any text', () => {
  it('is judged', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), judge), { numRuns: 500 });
  });

  it('of the characters of JSON is judged', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"data"', '"layers"', '"loss"', '"type"', '"tanh"', '1', '-', 'e', '//', '/*', '*/', '\n', '\\u', 'true', 'nul');
    fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (list) => judge(list.join(''))), { numRuns: 500 });
  });

  it('that is JSON is judged', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), judge), { numRuns: 500 });
  });
});

describe('a good spec', () => {
  const good = fc.constantFrom(...specs);

  it.each(specs)('is good to begin with', (spec) => {
    const { problems } = parseSpec(JSON.stringify(spec));
    expect(problems).toEqual([]);
  });

  it('is judged with any value replaced or removed', () => {
    const property = fc.property(good, fc.nat(), oddValues, (spec, which, by) => {
      const paths = pathsOf(spec);
      const changed = replaced(spec, paths[which % paths.length], by);
      judge(JSON.stringify(changed) ?? '');
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('is judged with any key added', () => {
    const property = fc.property(good, fc.nat(), fc.string({ unit: 'binary' }), oddValues, (spec, which, key, by) => {
      const paths = pathsOf(spec);
      judge(JSON.stringify(replaced(spec, [...paths[which % paths.length].slice(0, -1), key], by)));
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('is judged with every list emptied', () => {
    for (const spec of specs) {
      for (const path of pathsOf(spec)) judge(JSON.stringify(replaced(spec, path, [])));
      for (const path of pathsOf(spec)) judge(JSON.stringify(replaced(spec, path, [[]])));
    }
  });

  it('is judged when cut anywhere', () => {
    for (const spec of specs) {
      const text = JSON.stringify(spec, null, 1);
      for (let length = 0; length < text.length; length++) judge(text.slice(0, length));
    }
  });

  it('is judged with any part replaced by other text', () => {
    const property = fc.property(good, fc.nat(), fc.nat(12), fc.string({ unit: 'binary', maxLength: 6 }), (spec, at, length, by) => {
      const text = JSON.stringify(spec, null, 1);
      const start = at % text.length;
      judge(text.slice(0, start) + by + text.slice(start + length));
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
