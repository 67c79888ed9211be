// The sweeps of two course works at full size: the order of four learning rates on 28x28 images in IDX files, and how
// well a wave is fitted by more and more hidden units. The tests check order and bounds, not digits.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSpec } from '../../src/model-spec';
import { openSweep, type Sweep } from '../../src/process/sweep/sweep';
import type { RunResult } from '../../src/sweep/results';
import { Random } from '../../src/engine/random';

const examples = resolve(__dirname, '../../examples');
let folder: string;
let worker: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-systems-'));
  worker = join(folder, 'sweep-worker.js');
  await build({
    entryPoints: [resolve(__dirname, '../../src/process/sweep/worker.ts')],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function swept(text: string, results: string): Promise<Sweep> {
  const specFile = join(folder, `${results}.nabla.json`);
  writeFileSync(specFile, text);
  const opened = await openSweep({ source: parseSpec(text), specFile, root: folder });
  if (opened.kind !== 'sweep') throw new Error(JSON.stringify(opened));
  expect(await opened.sweep.run(worker, () => undefined)).toBe(true);
  return opened.sweep;
}

const lastLoss = (run: RunResult | undefined, part: 'train' | 'validation' | 'test'): number =>
  run && 'parts' in run ? (run.parts[part]?.loss.at(-1) ?? NaN) : NaN;

/** Ten patterns of strokes, each image with its own flipped pixels, compressed with gzip like MNIST. */
function writeImages(samples: number): void {
  const random = new Random(5, 'images');
  const patterns = Array.from({ length: 10 }, () => Array.from({ length: 784 }, () => random.uniform() < 0.15));
  const images = Buffer.alloc(16 + samples * 784);
  const labels = Buffer.alloc(8 + samples);
  images.set([0, 0, 8, 3]);
  [samples, 28, 28].forEach((size, i) => images.writeUInt32BE(size, 4 + 4 * i));
  labels.set([0, 0, 8, 1]);
  labels.writeUInt32BE(samples, 4);
  for (let i = 0; i < samples; i++) {
    labels[8 + i] = i % 10;
    patterns[i % 10].forEach((on, pixel) => {
      images[16 + i * 784 + pixel] = on !== random.uniform() < 0.2 ? 255 : 0;
    });
  }
  writeFileSync(join(folder, 'train-images-idx3-ubyte.gz'), gzipSync(images));
  writeFileSync(join(folder, 'train-labels-idx1-ubyte.gz'), gzipSync(labels));
}

describe('784-300-10 on IDX files: four learning rates, six runs of 5 epochs each', () => {
  const spec = {
    data: {
      type: 'idx',
      images: 'train-images-idx3-ubyte.gz',
      labels: 'train-labels-idx1-ubyte.gz',
      split: { validation: 0.25, test: 0 },
    },
    layers: ['flatten', { type: 'linear', out_features: 300 }, 'sigmoid', { type: 'linear', out_features: 10 }],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.3 },
    batch_size: 50,
    epochs: 5,
    sweep: { 'optimizer.lr': [0.01, 0.03, 0.1, 0.3], seed: [1, 2, 3, 4, 5, 6] },
  };

  // Below normal priority, it waits for other work on the machine.
  it('learns faster with larger rates, in train and validation', { timeout: 120_000 }, async () => {
    writeImages(400);
    const sweep = await swept(JSON.stringify(spec), 'rates');
    const { groups, best } = sweep.state.report;
    expect(groups.map(({ labels, finished }) => [labels[0], finished])).toEqual([
      ['0.01', 6],
      ['0.03', 6],
      ['0.1', 6],
      ['0.3', 6],
    ]);
    for (const part of ['train', 'validation'] as const) {
      const losses = groups.map(({ final }) => final[part]!.loss.mean);
      expect([...losses].sort((a, b) => b - a)).toEqual(losses);
    }
    expect(best).toEqual({ group: 3, part: 'validation' });
    expect(groups[0].epochs).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('a noisy sine', () => {
  const example = (name: string): string => readFileSync(join(examples, `${name}.nabla.json`), 'utf8');

  it('is fitted better by 0, 1, 2, 3 and 10 hidden units, and no better by 50 and 100', async () => {
    const { groups } = (await swept(example('sine-hidden-units'), 'units')).state.report;
    const tests = groups.map(({ final }) => final.test!.loss.mean);
    expect(groups.map(({ labels }) => labels[0].split(',')[0])).toEqual(
      [1, 1, 2, 3, 10, 50, 100].map((units) => `linear ${units}`),
    );
    expect(groups[0].labels[0]).toBe('linear 1');
    expect([...tests.slice(0, 5)].sort((a, b) => b - a)).toEqual(tests.slice(0, 5));
    // The best line through sin(πx) over [-1, 1) leaves an error of 1/2 - 3/π², plus the noise.
    expect(Math.abs(groups[0].final.train!.loss.mean - (0.5 - 3 / Math.PI ** 2 + 0.01))).toBeLessThan(0.03);
    // No network gets below the noise, whose variance is 0.01; those with ten or more units come close.
    for (const loss of tests.slice(4)) expect(loss).toBeLessThan(0.016);
    for (const loss of tests) expect(loss).toBeGreaterThan(0.007);
  });

  it('has several optima for two units from different starts, and one for eight', async () => {
    const { results } = await swept(example('sine-two-units'), 'optima');
    const losses = results.map((run) => lastLoss(run, 'train'));
    const [two, eight] = [losses.slice(0, 8), losses.slice(8)];
    expect(Math.max(...two)).toBeGreaterThan(3 * Math.min(...two));
    expect(Math.max(...eight)).toBeLessThan(0.02);
  });

  it('kills some ReLU networks and slows all sigmoid networks with layers of 3, 5 and 4 units', async () => {
    const { results } = await swept(example('sine-relu-or-sigmoid'), 'relu');
    const losses = results.map((run) => lastLoss(run, 'train'));
    const [relu, sigmoid] = [losses.slice(0, 6), losses.slice(6)];
    // A flat line leaves the variance of the sine, 1/2.
    expect(Math.max(...relu)).toBeGreaterThan(0.4);
    expect(Math.min(...relu)).toBeLessThan(0.02);
    for (const loss of sigmoid) expect(loss > Math.min(...relu) && loss < 0.2).toBe(true);
  });
});
