// Mean and spread compared with values by hand, and results files read back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/model-spec';
import { distinctLabels, valueLabel } from '../../src/sweep/value-label';
import { planSweep } from '../../src/sweep/plan';
import { buildReport, computeSpread } from '../../src/sweep/report';
import {
  FORMAT,
  selectReusable,
  settingsKey,
  parseResults,
  type RunResult,
  type SweepResults,
  VERSION,
  serializeResults,
} from '../../src/sweep/results';

const run = (
  settings: object,
  loss: number[],
  accuracy: number[] | null = null,
  largestClass: number | null = null,
): RunResult => ({
  settings: { ...settings },
  outcome: 'finished',
  message: null,
  milliseconds: 5,
  steps: 10,
  backend: 'wasm-simd',
  hash: 'abc',
  epochs: loss.map((_, i) => i),
  parts: {
    train: { loss, accuracy, largestClass },
    validation: { loss: loss.map((value) => 2 * value), accuracy, largestClass: null },
  },
});

describe('spread', () => {
  it('is the sample standard deviation', () => {
    // numpy.std([2, 4, 4, 4, 5, 5, 7, 9], ddof=1)
    expect(computeSpread([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({
      count: 8,
      mean: 5,
      deviation: 2.138089935299395,
      min: 2,
      max: 9,
    });
    expect(computeSpread([3])).toEqual({ count: 1, mean: 3, deviation: null, min: 3, max: 3 });
  });
});

describe('the report', () => {
  const options = [
    { path: 'optimizer.lr', values: [0.1, 1] },
    { path: 'seed', values: [1, 2] },
  ];
  const settings = [0.1, 1].flatMap((lr) => [1, 2].map((seed) => ({ 'optimizer.lr': lr, seed })));

  it('has a group for every value except the seed, with bands over the epochs', () => {
    const results = [
      run(settings[0], [1, 0.5], [0.5, 1], 0.5),
      run(settings[1], [3, 0.7], [0.5, 0.5], 0.75),
      run(settings[2], [2, 0.1], [0, 1]),
      undefined,
    ];
    const { groups, best, seeds, options: named } = buildReport(options, settings, results);
    expect({ named, seeds }).toEqual({ named: ['optimizer.lr'], seeds: 2 });
    expect(groups.map(({ labels, planned, finished }) => [labels, planned, finished])).toEqual([
      [['0.1'], 2, 2],
      [['1'], 2, 1],
    ]);
    expect(groups[0].bands.train?.loss.map(({ mean, min, max }) => [mean, min, max])).toEqual([
      [2, 1, 3],
      [0.6, 0.5, 0.7],
    ]);
    expect(groups[0].final.train?.loss.deviation).toBeCloseTo(Math.sqrt(2) / 10, 12);
    expect(groups[0].final.train?.accuracy?.mean).toBe(0.75);
    // The seed decides which samples are for training.
    expect(groups[0].largestClass).toEqual({ train: 0.625, validation: null });
    expect(groups[1].final.validation?.loss).toEqual({ count: 1, mean: 0.2, deviation: null, min: 0.2, max: 0.2 });
    // The second group is not done.
    expect(best).toBeNull();
    expect(buildReport(options, settings, [...results.slice(0, 3), run(settings[3], [9, 0.2])]).best).toEqual({
      group: 1,
      part: 'validation',
    });
  });

  it('prefers values with which every run finished to those with which some diverged', () => {
    const diverged: RunResult = {
      ...(run(settings[1], [1, NaN]) as Extract<RunResult, { hash: string }>),
      outcome: 'diverged',
      message: 'x',
    };
    const whole = [run(settings[2], [2, 0.4]), run(settings[3], [2, 0.6])];
    expect(buildReport(options, settings, [run(settings[0], [1, 0.1]), diverged, ...whole]).best?.group).toBe(1);
    // Where some diverged with each, the means of those that finished are all there is.
    expect(buildReport(options, settings, [run(settings[0], [1, 0.1]), diverged, whole[0], diverged]).best?.group).toBe(
      0,
    );
  });

  it('excludes unfinished runs from the means, and counts them', () => {
    const diverged: RunResult = {
      ...(run(settings[1], [1, NaN]) as Extract<RunResult, { hash: string }>),
      outcome: 'diverged',
      message: 'x',
    };
    const failed: RunResult = { settings: settings[2], outcome: 'failed', message: 'y' };
    const { groups, best } = buildReport(options, settings, [run(settings[0], [1, 0.5]), diverged, failed, undefined]);
    expect(groups[0]).toMatchObject({ finished: 1, diverged: 1, failed: 0 });
    expect(groups[0].final.train?.loss.mean).toBe(0.5);
    expect(groups[1]).toMatchObject({ finished: 0, failed: 1, final: {}, bands: {} });
    expect(best).toBeNull();
  });
});

describe('results on disk', () => {
  const spec = { data: 'circles', layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy' };
  const planOf = (changed: object, sweep: object = { seed: [1, 2] }) =>
    planSweep(parseSpec(JSON.stringify({ ...spec, ...changed, sweep }))).plan!;
  const results: SweepResults = {
    format: FORMAT,
    version: VERSION,
    file: 'a.nabla.json',
    data: 'd',
    spec,
    runs: [
      run({ seed: 1 }, [1, 0.5], [0.5, 1]),
      run({ seed: 2 }, [NaN, Infinity]),
      { settings: { seed: 3 }, outcome: 'failed', message: 'out of memory' },
    ],
  };

  it('are restored unchanged, including NaN and infinities', () => {
    expect(parseResults(serializeResults(results))).toEqual(results);
    const number = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 20 }), fc.string(), (loss, name) => {
        const all = {
          ...results,
          spec: { ...spec, name },
          runs: [
            run(
              { seed: 1, layers: [name] },
              loss.map((value) => (Object.is(value, -0) ? 0 : value)),
            ),
          ],
        };
        expect(parseResults(serializeResults(all))).toEqual(all);
      }),
    );
  });

  it('are not accepted from any other file', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseResults(text) === undefined));
    const { runs, ...head } = results;
    for (const wrong of [
      { ...results, version: 2 },
      { ...head },
      { ...results, runs: [{}] },
      { ...results, spec: 3 },
      { ...head, runs: [{ ...runs[0], epochs: [1] }] },
    ]) {
      expect(parseResults(JSON.stringify(wrong))).toBeUndefined();
    }
  });

  it('are valid for the same spec, whatever its name and format', () => {
    const kept = (changed: object, data = 'd') => {
      const { runs, staleCount: gone } = selectReusable(results, planOf(changed), {
        digest: data,
        digestOf: () => undefined,
      });
      return [runs.length, gone];
    };
    expect(kept({})).toEqual([2, 0]);
    expect(kept({ name: 'Other', epochs: 100, gradient_check: { every: 3 } })).toEqual([2, 0]);
    expect(kept({ epochs: 50 })).toEqual([0, 2]);
    expect(kept({ optimizer: { type: 'sgd', lr: 0.2 } })).toEqual([0, 2]);
    expect(kept({}, 'other data')).toEqual([0, 2]);
    // The seed of the spec itself is not used by any run.
    expect(kept({ seed: 9 })).toEqual([2, 0]);
  });

  it('match settings in any order', () => {
    expect(settingsKey({ a: 1, b: [2] })).toBe(settingsKey({ b: [2], a: 1 }));
    expect(settingsKey({ a: 1 })).not.toBe(settingsKey({ a: '1' }));
  });
});

it('have short labels', () => {
  expect(
    [
      0.00001,
      0.1,
      'adam',
      true,
      { type: 'step', step_size: 30, gamma: 0.5 },
      [{ type: 'linear', out_features: 50 }, 'sigmoid'],
    ].map(valueLabel),
  ).toEqual(['1e-5', '0.1', 'adam', 'true', 'step 30 0.5', 'linear 50, sigmoid']);
  expect(valueLabel(Array.from({ length: 99 }, () => 'tanh'))).toHaveLength(60);
});

it('have labels that differ where there is little room', () => {
  const deep = ['sigmoid', 'tanh'].map((layer) => ({
    type: 'repeat',
    times: 7,
    layers: [{ type: 'linear', out_features: 16, init: 'xavier_uniform' }, layer],
  }));
  expect(distinctLabels(deep)).toEqual(['… sigmoid', '… tanh']);
  const wide = [50, 100].map((width) => [...Array.from({ length: 20 }, () => 'tanh'), { type: 'linear', width }]);
  expect(distinctLabels(wide)).toEqual(['… 50', '… 100']);
  expect(distinctLabels([{ type: 'step', gamma: 0.5 }, 'step'])).toEqual(['step 0.5', 'step']);
});
