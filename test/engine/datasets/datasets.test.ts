// Requirements for every dataset, and the samples of each one.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DatasetKind, datasets } from '../../../src/engine/datasets';
import type { Dataset, DatasetDefinition } from '../../../src/engine/datasets/dataset';
import { numel, type Precision } from '../../../src/engine/kernels/tensor';
import { makeDataset } from '../../support/datasets';
import { folderFiles, noFiles } from '../../support/data-files';

const make = (kind: DatasetKind, options: object = {}, seed = 0, files = noFiles): Dataset =>
  makeDataset(kind, options, { seed, files });

/** Options for each; a dataset without an entry here is a type error. */
const examples: Record<DatasetKind, object> = {
  circles: { samples: 41 },
  moons: { samples: 41 },
  spirals: { samples: 50, arms: 3 },
  blobs: { samples: 40, centers: 4, features: 3 },
  function: { samples: 30, f: 'sinc' },
  linear: { samples: 30, features: 3 },
  images: { samples: 21, size: 6, channels: 2 },
  adding: { samples: 20, length: 7 },
  copy: { samples: 10, length: 3, bits: 2, delay: 2 },
  parity: { samples: 20, length: 5 },
  sorting: { samples: 20, length: 4 },
  xor: { samples: 10, noise: 0.2 },
  noisy_sine: { samples: 30 },
  inline: {
    inputs: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    labels: ['b', 'a', 'b'],
  },
  text: { text: 'she sells sea shells', length: 5 },
  csv: { path: 'small.csv' },
  npy: { inputs: 'float32.npy', labels: 'labels.npy' },
  npz: { path: 'deflated.npz', inputs: 'x', targets: 'y' },
  idx: { images: 'images.idx.gz', labels: 'labels.idx' },
  safetensors: { path: 'small.safetensors', inputs: 'x', targets: 'y' },
};
const FROM_FILES: readonly DatasetKind[] = ['csv', 'npy', 'npz', 'idx', 'safetensors'];
const files = folderFiles(join(__dirname, '../../golden/arrays'));

describe.each(Object.keys(examples) as DatasetKind[])('%s', (kind) => {
  const definition = datasets[kind] as DatasetDefinition;
  const dataset = make(kind, examples[kind], 3, files);

  it('is the one that its name in the table says', () => {
    expect(definition.kind).toBe(kind);
  });

  it('repeats under its seed', () => {
    expect(make(kind, examples[kind], 3, files)).toEqual(dataset);
  });

  it('gives arrays of the sizes that it tells, all numbers finite', () => {
    const { samples, inputShape, inputs, targetSize, targets, classes, featureNames } = dataset;
    expect(inputs).toHaveLength(samples * numel(inputShape));
    expect(targets).toHaveLength(samples * targetSize);
    expect([...inputs, ...targets].every(Number.isFinite)).toBe(true);
    if (featureNames) expect(featureNames).toHaveLength(numel(inputShape));
    if (classes) {
      expect(targetSize).toBe(kind === 'text' ? numel(inputShape) : 1);
      expect([...targets].every((index) => Number.isInteger(index) && index >= 0 && index < classes.length)).toBe(true);
    }
  });

  it('tells its shape before it is made, unless only the file knows', () => {
    const shape = definition.shape(definition.options.parse(examples[kind]), 'float64');
    const { samples, inputShape, targetSize, classes } = dataset;
    if (FROM_FILES.includes(kind)) expect(shape).toBeUndefined();
    else expect(shape).toEqual({ samples, inputShape, targetSize, ...(classes && { classes: classes.length }) });
  });

  it('leaves something to train on by itself', () => {
    expect(definition.defaultSplit.validation + definition.defaultSplit.test).toBeLessThan(1);
  });
});

describe.each([
  'circles',
  'moons',
  'spirals',
  'blobs',
  'noisy_sine',
  'function',
  'linear',
  'images',
  'adding',
  'copy',
  'parity',
  'sorting',
] as const)('%s', (kind) => {
  it('is another one under another seed', () => {
    expect(make(kind, {}, 1).inputs).not.toEqual(make(kind, {}, 2).inputs);
  });
});

describe('circles', () => {
  const radius = ({ inputs }: Dataset, i: number): number => Math.hypot(inputs[2 * i], inputs[2 * i + 1]);

  it.each([40, 41])('without noise lies on its circles, half on each (%d samples)', (samples) => {
    const dataset = make('circles', { samples, noise: 0, factor: 0.3 });
    for (let i = 0; i < samples; i++) expect(radius(dataset, i)).toBeCloseTo(dataset.targets[i] === 1 ? 0.3 : 1, 14);
    const inner = [...dataset.targets].filter((target) => target === 1).length;
    expect(inner).toBe(Math.floor(samples / 2));
  });

  it('spreads the points evenly over the circles', () => {
    const { inputs } = make('circles', { samples: 8, noise: 0, factor: 0.5 });
    const expected = [1, 0, 0.5, 0, 0, 1, 0, 0.5, -1, 0, -0.5, 0, 0, -1, 0, -0.5];
    expected.forEach((value, i) => expect(inputs[i]).toBeCloseTo(value, 14));
  });

  it('has noise of the size asked for', () => {
    const clean = make('circles', { samples: 4000, noise: 0 });
    const noisy = make('circles', { samples: 4000, noise: 0.2 });
    const squares = [...noisy.inputs].map((value, i) => (value - clean.inputs[i]) ** 2);
    const std = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
    // 8,000 draws: the standard error of a standard deviation is std / √16000.
    expect(Math.abs(std - 0.2)).toBeLessThan((4 * 0.2) / Math.sqrt(16000));
  });
});

describe('moons', () => {
  it.each([40, 41])('without noise lie on their half circles, ends included (%d samples)', (samples) => {
    const { inputs, targets } = make('moons', { samples, noise: 0 });
    for (let i = 0; i < samples; i++) {
      const [x, y] = [inputs[2 * i], inputs[2 * i + 1]];
      const lower = targets[i] === 1;
      expect(lower ? Math.hypot(x - 1, y - 0.5) : Math.hypot(x, y)).toBeCloseTo(1, 14);
      expect(lower ? y <= 0.5 : y >= 0).toBe(true);
    }
    // First and last points of both moons, as in make_moons(noise=None): (1, 0), (-1, 0), (0, 0.5), (2, 0.5).
    const corner = (i: number): number[] =>
      [inputs[2 * i], inputs[2 * i + 1]].map((v) => Math.round(v * 1e12) / 1e12 + 0);
    const last = (moon: number): number => ((samples - 1) % 2 === moon ? samples - 1 : samples - 2);
    expect([corner(0), corner(last(0)), corner(1), corner(last(1))]).toEqual([
      [1, 0],
      [-1, 0],
      [0, 0.5],
      [2, 0.5],
    ]);
  });
});

describe('spirals', () => {
  it('without noise have a radius that grows with the angle, each arm turned by its share', () => {
    const { inputs, targets, samples } = make('spirals', { samples: 90, arms: 3, turns: 0.5, noise: 0 });
    for (let i = 0; i < samples; i++) {
      const radius = (Math.floor(i / 3) + 1) / 30;
      expect(Math.hypot(inputs[2 * i], inputs[2 * i + 1])).toBeCloseTo(radius, 14);
      const angle = Math.atan2(inputs[2 * i + 1], inputs[2 * i]) - Math.PI * radius - (2 * Math.PI * targets[i]) / 3;
      expect(Math.cos(angle)).toBeCloseTo(1, 12);
      expect(targets[i]).toBe(i % 3);
    }
  });
});

/** The numbers of sample i at time step t. */
const stepOf = ({ inputs, inputShape: [time, features] }: Dataset, i: number, t: number): number[] =>
  Array.from(inputs.subarray((i * time + t) * features, (i * time + t + 1) * features));

describe('adding', () => {
  it.each([2, 7, 20])('marks one value in each half of %d, and adds them', (length) => {
    const dataset = make('adding', { samples: 200, length }, 4);
    const half = Math.floor(length / 2);
    const places = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const steps = Array.from({ length }, (_, t) => stepOf(dataset, i, t));
      const marked = steps.flatMap(([, mark], t) => (mark === 1 ? [t] : []));
      expect(steps.every(([value, mark]) => value >= 0 && value < 1 && (mark === 0 || mark === 1))).toBe(true);
      expect(marked).toHaveLength(2);
      expect(marked[0] < half && marked[1] >= half).toBe(true);
      expect(dataset.targets[i]).toBe(steps[marked[0]][0] + steps[marked[1]][0]);
      marked.forEach((t) => places.add(t));
    }
    expect(places.size).toBe(length);
  });

  it('has the error of a constant that its summary says', () => {
    const { targets } = make('adding', { samples: 20_000, length: 4 });
    const squares = Array.from(targets, (target) => (target - 1) ** 2);
    const mse = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    // The variance of (a + b - 1)² for uniform a and b is 7/180.
    expect(Math.abs(mse - 1 / 6)).toBeLessThan(4 * Math.sqrt(7 / 180 / 20_000));
  });
});

describe('copy', () => {
  it.each([
    [1, 1, 0],
    [3, 2, 0],
    [4, 3, 5],
  ])('repeats %d steps of %d bits after a signal that comes %d steps later', (length, bits, delay) => {
    const dataset = make('copy', { samples: 30, length, bits, delay }, 5);
    const time = 2 * length + delay + 1;
    expect(dataset.inputShape).toEqual([time, bits + 1]);
    for (let i = 0; i < 30; i++) {
      for (let t = 0; t < time; t++) {
        const from = (i * time + t) * bits;
        const target = Array.from(dataset.targets.subarray(from, from + bits));
        const step = stepOf(dataset, i, t);
        const signal = length + delay;
        if (t >= length) expect(step).toEqual([...Array<number>(bits).fill(0), t === signal ? 1 : 0]);
        const repeated = t > signal ? stepOf(dataset, i, t - signal - 1).slice(0, bits) : Array<number>(bits).fill(0);
        expect(target).toEqual(repeated);
      }
    }
  });
});

describe('parity', () => {
  it.each([1, 5])('counts the ones among %d bits', (length) => {
    const dataset = make('parity', { samples: 100, length }, 6);
    for (let i = 0; i < 100; i++) {
      const ones = Array.from({ length }, (_, t) => stepOf(dataset, i, t)[0]).reduce((sum, bit) => sum + bit, 0);
      expect(dataset.classes?.[dataset.targets[i]]).toBe(ones % 2 === 1 ? 'odd' : 'even');
    }
  });
});

describe('parity of sequences of different lengths', () => {
  const [length, min_length] = [6, 2];
  const dataset = make('parity', { samples: 200, length, min_length }, 6);
  const rows = Array.from({ length: 200 }, (_, i) => Array.from(dataset.inputs.subarray(i * length, (i + 1) * length)));

  it('counts the ones before the padding', () => {
    expect(dataset.inputShape).toEqual([length]);
    rows.forEach((row, i) => {
      const ones = row.filter((index) => index === 2).length;
      expect(dataset.classes?.[dataset.targets[i]]).toBe(ones % 2 === 1 ? 'odd' : 'even');
    });
  });

  it('has all lengths, and padding only at the end', () => {
    const lengths = rows.map((row) => row.findLastIndex((index) => index !== 0) + 1);
    expect([...new Set(lengths)].sort()).toEqual([2, 3, 4, 5, 6]);
    rows.forEach((row, i) => expect(row.slice(0, lengths[i]).every((index) => index === 1 || index === 2)).toBe(true));
  });
});

describe('sorting', () => {
  it('has the values in ascending order as targets', () => {
    const { inputs, targets } = make('sorting', { samples: 50, length: 12 }, 7);
    for (let i = 0; i < 50; i++) {
      const values = Array.from(inputs.subarray(12 * i, 12 * (i + 1))).sort((a, b) => a - b);
      expect(Array.from(targets.subarray(12 * i, 12 * (i + 1)))).toEqual(values);
    }
  });
});

describe('blobs', () => {
  it('lie around their centres with the spread asked for', () => {
    const { inputs, targets, samples } = make('blobs', { samples: 6000, centers: 3, cluster_std: 0.25, box: 5 });
    for (let own = 0; own < 3; own++) {
      const x = Array.from({ length: samples }, (_, i) => i)
        .filter((i) => targets[i] === own)
        .map((i) => inputs[2 * i]);
      expect(x).toHaveLength(2000);
      const mean = x.reduce((a, b) => a + b, 0) / 2000;
      const std = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 2000);
      expect(Math.abs(mean)).toBeLessThan(5.05);
      expect(Math.abs(std - 0.25)).toBeLessThan((4 * 0.25) / Math.sqrt(4000));
    }
  });

  it('keep their centres when there are more points', () => {
    const centre = (samples: number): number => make('blobs', { samples, cluster_std: 1e-9 }).inputs[0];
    expect(centre(10)).toBeCloseTo(centre(1000), 6);
  });
});

describe('a function', () => {
  it.each<[string, (x: number) => number]>([
    ['sine', (x) => Math.sin(Math.PI * x)],
    ['square', (x) => x ** 2],
    ['cube', (x) => x * x * x],
    ['absolute', (x) => (x < 0 ? -x : x)],
    ['step', (x) => Number(x >= 0)],
    ['exponential', (x) => Math.E ** x],
    ['gaussian', (x) => 1 / Math.exp(x ** 2)],
    ['sinc', (x) => Math.sin(Math.PI * x) / (Math.PI * x)],
  ])('%s without noise is itself, over its range', (f, of) => {
    const { inputs, targets } = make('function', { f, noise: 0, low: -2, high: 3 });
    inputs.forEach((x, i) => expect(targets[i]).toBeCloseTo(of(x), 12));
    expect(Math.min(...inputs)).toBeLessThan(-1.8);
    expect(Math.max(...inputs)).toBeGreaterThan(2.8);
    expect([...inputs].every((x) => x >= -2 && x < 3)).toBe(true);
  });

  it('refuses an empty range', () => {
    expect(datasets.function.options.safeParse({ low: 1, high: 1 }).success).toBe(false);
  });
});

describe('linear', () => {
  it('without noise is w · x + bias', () => {
    const { inputs, targets } = make('linear', { features: 2, weight: [3, -2], bias: 0.5, noise: 0 });
    targets.forEach((y, i) => expect(y).toBeCloseTo(3 * inputs[2 * i] - 2 * inputs[2 * i + 1] + 0.5, 12));
  });

  it('wants a weight for each feature', () => {
    expect(datasets.linear.options.safeParse({ features: 2, weight: [1] }).success).toBe(false);
  });
});

describe('xor', () => {
  it('is the truth table, by default', () => {
    const { inputs, targets } = make('xor');
    expect([...inputs]).toEqual([0, 0, 0, 1, 1, 0, 1, 1]);
    expect([...targets]).toEqual([0, 1, 1, 0]);
  });

  it('puts clusters around the corners', () => {
    const { inputs, targets, samples } = make('xor', { samples: 400, noise: 0.05 });
    for (let i = 0; i < samples; i++) {
      const [a, b] = [Math.round(inputs[2 * i]), Math.round(inputs[2 * i + 1])];
      expect(targets[i]).toBe(a ^ b);
    }
    expect(new Set(inputs).size).toBe(800);
  });
});

describe('noisy sine', () => {
  it('without noise is the sine', () => {
    const { inputs, targets } = make('noisy_sine', { noise: 0, periods: 2, samples: 100 });
    inputs.forEach((x, i) => {
      expect(x).toBeGreaterThanOrEqual(-1);
      expect(x).toBeLessThan(1);
      expect(targets[i]).toBeCloseTo(Math.sin(2 * Math.PI * x), 14);
    });
  });

  it('has noise of the size asked for', () => {
    const { inputs, targets } = make('noisy_sine', { noise: 0.3, samples: 4000 });
    const squares = [...targets].map((value, i) => (value - Math.sin(Math.PI * inputs[i])) ** 2);
    const std = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
    expect(Math.abs(std - 0.3)).toBeLessThan((4 * 0.3) / Math.sqrt(8000));
  });
});

describe('inline', () => {
  it.each([
    [
      {
        inputs: [
          [1, 2],
          [3, 1e39],
        ],
        targets: [1, 2],
      },
      ['inputs', 1, 1],
    ],
    [{ inputs: [[1], [2]], targets: [1, -1e39] }, ['targets', 1]],
    [{ inputs: [[1], [2]], targets: [[1], [1e39]] }, ['targets', 1, 0]],
  ])('names a number that float32 does not hold', (options, path) => {
    const shapeIn = (precision: Precision) => datasets.inline.shape(datasets.inline.options.parse(options), precision);
    expect(() => shapeIn('float32')).toThrow(expect.objectContaining({ code: 'beyond-precision', path }) as Error);
    expect(shapeIn('float64')).toMatchObject({ samples: 2 });
  });

  it('sorts labels that are texts into classes', () => {
    const { classes, targets } = make('inline', { inputs: [[1], [2], [3]], labels: ['b', 'a', 'b'] });
    expect(classes).toEqual(['a', 'b']);
    expect([...targets]).toEqual([1, 0, 1]);
  });

  it('sorts labels that are numbers as numbers', () => {
    const { classes, targets } = make('inline', { inputs: [[1], [2], [3]], labels: [10, 9, -1] });
    expect(classes).toEqual(['-1', '9', '10']);
    expect([...targets]).toEqual([2, 1, 0]);
  });

  it('takes the order of the classes from the spec', () => {
    const { classes, targets } = make('inline', { inputs: [[1], [2]], labels: ['x', 'y'], classes: ['y', 'z', 'x'] });
    expect(classes).toEqual(['y', 'z', 'x']);
    expect([...targets]).toEqual([2, 0]);
  });

  it('takes a number of classes of which not all occur', () => {
    const { classes, targets } = make('inline', { inputs: [[1]], labels: [2], classes: 3 });
    expect(classes).toEqual(['0', '1', '2']);
    expect([...targets]).toEqual([2]);
  });

  it('keeps values, one or several a sample', () => {
    expect([...make('inline', { inputs: [[1], [2]], targets: [3, 4] }).targets]).toEqual([3, 4]);
    const rows = make('inline', {
      inputs: [[1], [2]],
      targets: [
        [3, 4],
        [5, 6],
      ],
      feature_names: ['a'],
    });
    expect([...rows.targets]).toEqual([3, 4, 5, 6]);
    expect(rows.targetSize).toBe(2);
    expect(rows.featureNames).toEqual(['a']);
  });
});

describe('images', () => {
  it('has two colours an image where there is no noise, and the classes in turn', () => {
    const { inputs, targets, samples } = make('images', { samples: 30, noise: 0, size: 12 });
    expect([...targets]).toEqual(Array.from({ length: 30 }, (_, i) => i % 10));
    const plane = inputs.length / samples / 3;
    for (let i = 0; i < samples * 3; i++) expect(new Set(inputs.subarray(i * plane, (i + 1) * plane)).size).toBe(2);
  });

  it('has rows of one colour in the class of rows, and columns in that of columns', () => {
    const { inputs } = make('images', { samples: 10, noise: 0, size: 8, channels: 1 });
    const image = (i: number): number[][] =>
      Array.from({ length: 8 }, (_, y) => [...inputs.subarray((i * 8 + y) * 8, (i * 8 + y + 1) * 8)]);
    for (const row of image(1)) expect(new Set(row).size).toBe(1);
    for (const row of image(2)) expect(row).toEqual(image(2)[0]);
  });

  it('has fewer classes where it is told', () => {
    expect(make('images', { classes: 3 }).classes).toEqual(['disc', 'rows', 'columns']);
  });
});
