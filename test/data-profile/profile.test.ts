// What is said of a dataset: against Python's csv module and NumPy, and against slow, obvious counting.
import { ColumnStats } from '../../src/data-profile/column-stats';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EqualInputs } from '../../src/data-profile/equal-inputs';
import { profileTask } from '../../src/data-profile/profile';
import { readRowsTask } from '../../src/data-profile/rows';
import { SplitLookup } from '../../src/data-profile/split-lookup';
import { runToCompletion } from '../../src/engine/cooperative-task';
import type { DataFiles } from '../../src/engine/datasets/data-file';
import { numel } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import { loadRun, openSourceTask, parseSpec } from '../../src/model-spec';
import type { ColumnProfile, DataProfile } from '../../src/protocol/data-profile';
import { SPLIT_NAMES, type SplitName } from '../../src/protocol/position';
import { filesOnDisk, noFiles, readFolder } from '../support/data-files';

/** A one-dimensional NumPy file of float64, version 1. */
function npyOf(values: readonly number[]): Uint8Array {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(117) + '\n';
  const head = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, 'latin1');
  return Buffer.concat([head, Buffer.from(Float64Array.from(values).buffer)]);
}

interface GoldenColumn extends Pick<
  ColumnProfile,
  'name' | 'kind' | 'count' | 'missing' | 'distinct' | 'min' | 'max' | 'mean' | 'std' | 'histogram' | 'correlation'
> {
  readonly name: string;
}

interface GoldenTable {
  readonly name: string;
  readonly text: string;
  readonly data: object;
  readonly loss: string;
  readonly samples: number;
  readonly columns: readonly GoldenColumn[];
  readonly duplicates: number;
  readonly contradictory: number;
}

const golden = JSON.parse(readFileSync(join(__dirname, '../golden/data-profile.json'), 'utf8')) as {
  cases: GoldenTable[];
};

const specOf = (data: object, rest: object = {}): string =>
  JSON.stringify({ data, layers: [{ type: 'linear', out_features: 1 }], loss: 'mse', precision: 'float64', ...rest });

function open(text: string, files: DataFiles = noFiles) {
  const parsed = parseSpec(text);
  if (!parsed.spec) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const { run, problems } = loadRun(parsed, files);
  const source = runToCompletion(openSourceTask(parsed.spec, files));
  const profile = (): DataProfile => runToCompletion(profileTask(source, { random: new Random(0, 'profile'), run }));
  const rows = (...samples: number[]) => runToCompletion(readRowsTask(source, Uint32Array.from(samples), run));
  return { run, problems, source, profile, rows };
}

/** To 12 digits: means and spreads are summed in another order. */
function expectClose(actual: number | null | undefined, expected: number | null | undefined): void {
  if (expected === null || expected === undefined) expect(actual ?? null).toBeNull();
  else expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1e-3, Math.abs(expected)));
}

describe('a table, as Python counts it', () => {
  it.each(golden.cases)('$name', ({ text, data, loss, samples, columns, duplicates, contradictory }) => {
    const classes = new Set(
      text
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').at(-1)),
    );
    const spec = specOf(
      { type: 'csv', path: 'd.csv', ...data },
      { loss, layers: [{ type: 'linear', out_features: loss === 'mse' ? 1 : classes.size }] },
    );
    const opened = open(spec, filesOnDisk({ 'd.csv': text }));
    const profile = opened.profile();
    expect(profile.samples).toBe(samples);
    expect(profile.sampled).toBe(samples);
    expect(profile.duplicates).toMatchObject({ compared: samples, duplicates, contradictory });
    expect(profile.columns.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
    columns.forEach((expected, i) => {
      const actual = profile.columns[i];
      const isClass = actual.role === 'target' && (opened.run?.labels ?? null) !== null;
      expect(actual).toMatchObject({
        kind: isClass ? 'class' : expected.kind,
        count: expected.count,
        missing: expected.missing,
        min: expected.min,
        max: expected.max,
        distinct: expected.distinct,
        distinctIsExact: true,
      });
      expectClose(actual.mean, expected.mean);
      expectClose(actual.std, expected.std);
      expect(actual.histogram?.counts).toEqual(expected.histogram?.counts);
      expectClose(actual.histogram?.low, expected.histogram?.low);
      expectClose(actual.histogram?.high, expected.histogram?.high);
      expect(actual.correlation?.measure).toBe(expected.correlation?.measure);
      expectClose(actual.correlation?.value, expected.correlation?.value);
    });
  });
});

describe('splits side by side', () => {
  it('are those of the run', () => {
    const { run, profile } = open(
      specOf(
        { type: 'blobs', samples: 97, centers: 3 },
        { loss: 'cross_entropy', layers: [{ type: 'linear', out_features: 3 }] },
      ),
    );
    const { columns, classes, splits } = profile();
    if (!run || !classes) throw new Error('cannot run');
    for (const split of SPLIT_NAMES) {
      const samples = [...run.split[split]];
      expect(splits?.[split]).toBe(samples.length);
      // No transforms: the run's inputs are those of the data.
      const values = samples.map((sample) => run.dataset.inputs[2 * sample + 1]);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      expectClose(columns[1].splits?.[split]?.mean, mean);
      expectClose(columns[1].splits?.[split]?.std, std);
      expect(classes.map((one) => one.splits[split])).toEqual(
        [0, 1, 2].map((index) => samples.filter((sample) => run.dataset.targets[sample] === index).length),
      );
    }
    expect(classes.reduce((sum, { count }) => sum + count, 0)).toBe(97);
  });

  it('are absent where the spec cannot run, and the columns are there', () => {
    const { profile, rows } = open(
      specOf({ type: 'csv', path: 'd.csv' }),
      filesOnDisk({ 'd.csv': 'a,b,t\n1,NA,2\nx,3,4\n' }),
    );
    const { columns, splits, classes, duplicates } = profile();
    expect({ splits, classes, leaked: duplicates.leaked }).toEqual({ splits: null, classes: null, leaked: null });
    expect(columns.map(({ kind, missingShare }) => [kind, missingShare])).toEqual([
      ['mixed', 0],
      ['integer', 0.5],
      ['integer', 0],
    ]);
    expect(rows(1)).toEqual([
      { sample: 1, split: null, position: 3, source: ['x', '3', '4'], input: null, target: null },
    ]);
  });
});

describe('large data', () => {
  it('is sampled for histograms and correlations, and counted whole', () => {
    const { profile } = open(specOf({ type: 'linear', samples: 25_000, features: 1 }));
    const { samples, sampled, columns } = profile();
    expect([samples, sampled]).toEqual([25_000, 20_000]);
    expect(columns[0].histogram?.counts.reduce((a, b) => a + b)).toBe(20_000);
    expect(columns[0]).toMatchObject({ count: 25_000, distinct: 10_000, distinctIsExact: false });
  });

  it('lists the texts among its numbers, however many numbers come before them', () => {
    const stats = new ColumnStats(3, 100);
    for (let i = 0; i < 500; i++) stats.addNumber(i, 0);
    for (const text of ['n.a.', 'unknown', 'n.a.']) stats.addText(text);
    expect(stats.profile(false)).toMatchObject({
      kind: 'mixed',
      count: 503,
      distinctIsExact: false,
      values: [
        { text: 'n.a.', count: 2 },
        { text: 'unknown', count: 1 },
      ],
    });
  });

  it('draws its sample from the seed: the same each time', () => {
    const { profile } = open(specOf({ type: 'linear', samples: 21_000, features: 1 }));
    expect(profile()).toEqual(profile());
  });
});

describe('equal inputs', () => {
  it('are found as comparing all pairs finds them', () => {
    const cell = fc.constantFrom<string | number>(0, -0, 1, 2, NaN, 'a', '');
    const rows = fc.array(
      fc.record({
        input: fc.tuple(cell, cell),
        target: fc.nat(2),
        split: fc.constantFrom<SplitName>('train', 'validation', 'test'),
      }),
      { maxLength: 40 },
    );
    const isEqual = (a: string | number, b: string | number): boolean => a === b || Object.is(a, b);
    fc.assert(
      fc.property(rows, (all) => {
        const equal = new EqualInputs();
        all.forEach(({ input, target }, i) => equal.add(i, input, [target]));
        const same = (i: number, j: number): boolean =>
          all[i].input.every((value, k) => isEqual(value, all[j].input[k]));
        const others = (i: number): number[] => all.map((_, j) => j).filter((j) => j !== i && same(i, j));
        const indexes = all.map((_, i) => i);
        const report = equal.report((sample) => all[sample].split);
        expect(report.compared).toBe(all.length);
        expect(report.duplicates).toBe(
          indexes.filter((i) => others(i).some((j) => j < i && all[j].target === all[i].target)).length,
        );
        expect(report.contradictory).toBe(
          indexes.filter((i) => others(i).some((j) => all[j].target !== all[i].target)).length,
        );
        const leaked = (split: SplitName): number =>
          indexes.filter((i) => all[i].split === split && others(i).some((j) => all[j].split === 'train')).length;
        expect(report.leaked).toEqual({ validation: leaked('validation'), test: leaked('test') });
      }),
    );
  });

  it('tell apart inputs that differ in one bit, and cells that only join to the same text', () => {
    const equal = new EqualInputs();
    const inputs = [
      [1, 2],
      [1 + Number.EPSILON, 2],
      [2, 1],
      ['ab', 'c'],
      ['a', 'bc'],
      ['1', 2],
    ];
    inputs.forEach((input, i) => equal.add(i, input, [i]));
    expect(equal.report()).toMatchObject({ duplicates: 0, contradictory: 0, groups: [] });
  });
});

describe('which split a sample is in', () => {
  it('is known in any order', () => {
    const assignment = fc.array(fc.constantFrom(...SPLIT_NAMES, null), { maxLength: 40 });
    fc.assert(
      fc.property(assignment, fc.array(fc.nat({ max: 45 })), (splits, lookups) => {
        const of = (name: SplitName): Uint32Array =>
          Uint32Array.from(splits.flatMap((split, sample) => (split === name ? [sample] : [])));
        const lookup = new SplitLookup({ train: of('train'), validation: of('validation'), test: of('test') });
        for (const sample of [...splits.keys(), ...lookups]) expect(lookup.find(sample)).toBe(splits[sample] ?? null);
      }),
    );
  });
});

describe('integers beyond 2^53', () => {
  it('are distinct where their digits are, also in a spec that cannot run', () => {
    const text = 'x,label\n1,9007199254740992\n2,9007199254740993\n3,9007199254740993.0\n4,5\n';
    const data = { type: 'csv', path: 'd.csv', task: 'classes' };
    const opened = open(specOf(data, { loss: 'cross_entropy' }), filesOnDisk({ 'd.csv': text }));
    expect(opened.run).toBeUndefined();
    expect(opened.profile().columns[1]).toMatchObject({
      kind: 'integer',
      distinct: 3,
      values: [
        { text: '9007199254740993', count: 2 },
        { text: '5', count: 1 },
        { text: '9007199254740992', count: 1 },
      ],
    });
  });
});

describe('rows, as the file holds them', () => {
  it('of a table are those that became the samples, whatever is dropped and drawn', () => {
    const cell = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -99, max: 99 }).map(String) },
      { weight: 1, arbitrary: fc.constant('NA') },
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 4, maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('first', 'random'),
        fc.integer({ min: 0, max: 5 }),
        (table, limit, pick, seed) => {
          // One complete row, so that there is a sample.
          const rowsOfFile = [...table, ['1', '2', '3'] as const];
          const text = `a,b,t\n${rowsOfFile.map((cells) => cells.join(',')).join('\n')}\n`;
          const split = { validation: 0, test: 0 };
          const data = { type: 'csv', path: 'd.csv', inputs: ['b'], missing: 'drop', limit, pick, split };
          const { run, source, rows, problems } = open(specOf(data, { seed }), filesOnDisk({ 'd.csv': text }));
          if (!run) throw new Error(problems.map(({ message }) => message).join());
          expect(source.columns.map(({ name, role }) => [name, role])).toEqual([
            ['b', 'input'],
            ['t', 'target'],
            ['a', 'unused'],
          ]);
          const all = rows(...Array.from({ length: run.dataset.samples }, (_, i) => i));
          expect(all.map(({ sample }) => sample)).toEqual([...Array(run.dataset.samples).keys()]);
          for (const { sample, position, source: cells, input, target } of all) {
            const [a, b, t] = rowsOfFile[(position ?? 0) - 2];
            expect(cells).toEqual([b, t, a]);
            expect(input).toEqual([Number(b)]);
            expect(target).toEqual([Number(t)]);
            expect(run.dataset.inputs[sample]).toBe(Number(b));
          }
          const last = run.dataset.samples - 1;
          expect(rows(last)).toEqual([all[last]]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([3, 40, 99, 100, 500])('of a table that are drawn at random are the samples, with a limit of %i', (limit) => {
    const text = `a,b,t\n${Array.from({ length: 100 }, (_, i) => `${i},${i * 7},${i * i}\n`).join('')}`;
    const split = { validation: 0, test: 0 };
    const data = { type: 'csv', path: 'd.csv', limit, pick: 'random', split };
    const { run, rows } = open(specOf(data), filesOnDisk({ 'd.csv': text }));
    const samples = Math.min(limit, 100);
    const all = rows(...Array(samples).keys());
    expect(run?.dataset.samples).toBe(samples);
    expect(all.map(({ sample }) => sample)).toEqual([...Array(samples).keys()]);
    for (const { position, source, input, target } of all) {
      const i = (position ?? 0) - 2;
      expect([source, input, target]).toEqual([[i, i * 7, i * i].map(String), [i, i * 7], [i * i]]);
    }
    expect(new Set(all.map(({ position }) => position)).size).toBe(samples);
  });

  it('count dropped rows among the missing values only', () => {
    const { profile } = open(
      specOf({ type: 'csv', path: 'd.csv', missing: 'drop' }),
      filesOnDisk({ 'd.csv': 'a,b,t\n1,2,3\n,5,6\n7,NA,9\n10,11,12\n13,14,16\n' }),
    );
    const { samples, dropped, columns } = profile();
    expect({ samples, dropped }).toEqual({ samples: 3, dropped: 2 });
    expect(columns.map(({ count, missing, min }) => [count, missing, min])).toEqual([
      [3, 1, 1],
      [3, 1, 2],
      [3, 0, 3],
    ]);
  });

  it('of arrays count dropped rows among the missing values only', () => {
    const { profile, rows } = open(
      specOf({ type: 'npy', inputs: 'x.npy', targets: 'y.npy', missing: 'drop' }),
      filesOnDisk({ 'x.npy': npyOf([1, NaN, 3, 4, 5, NaN, 7]), 'y.npy': npyOf([1, 2, 3, 4, NaN, 6, 7]) }),
    );
    const { samples, dropped, columns } = profile();
    expect({ samples, dropped }).toEqual({ samples: 4, dropped: 3 });
    expect(columns.map(({ count, missing, max }) => [count, missing, max])).toEqual([
      [4, 2, 7],
      [4, 1, 7],
    ]);
    expect(rows(1, 3).map(({ sample, position, source }) => [sample, position, source])).toEqual([
      [1, 2, [3, 3]],
      [3, 6, [7, 7]],
    ]);
  });

  it.each(['first', 'random'])('of arrays are their numbers, not divided (%s)', (pick) => {
    const files = readFolder(join(__dirname, '../golden/arrays'));
    const { run, rows, profile, source } = open(
      specOf(
        { type: 'idx', images: 'images.idx', labels: 'labels.idx', limit: 2, pick },
        { loss: 'cross_entropy', layers: ['flatten', { type: 'linear', out_features: 2 }] },
      ),
      files,
    );
    expect(source.positions).toBe('index');
    const all = rows(0, 1);
    expect(all).toHaveLength(2);
    const width = numel(source.inputShape);
    for (const { source: cells, input } of all)
      // Without a run the labels need not be two classes.
      if (input)
        expect(input.map((value) => Math.fround(value * 255))).toEqual(
          cells.slice(0, width).map((value) => Math.fround(Number(value))),
        );
    expect(profile().columns[0]).toMatchObject({ name: 'channel 1', size: width, role: 'input' });
    expect(run === undefined || run.dataset.samples === 2).toBe(true);
  });
});
