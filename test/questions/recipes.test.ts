// The specs of docs/recipes.md open files of the formats that they name, here with made-up images.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSpec } from '../../src/session/open-spec';
import { TrainingSession } from '../../src/session/session';
import { folderFiles } from '../support/data-files';

const page = readFileSync(path.resolve(__dirname, '../../docs/recipes.md'), 'utf8');
const specs = [...page.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text]) => text);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'nablascope-recipes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A NumPy file of version 1. */
function npy(type: string, shape: readonly number[], data: Buffer): Buffer {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size}, `).join('')}), }`;
  const header = `${text.padEnd(117)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from([0x93]),
    Buffer.from('NUMPY'),
    Buffer.from([1, 0]),
    length,
    Buffer.from(header),
    data,
  ]);
}

/** Each class has its own pattern, a little lighter in some images. */
const gray = (image: number, pixel: number): number => (((image % 10) * 61 + pixel * 37) % 200) + (image % 50);

function open(text: string): TrainingSession {
  const { run, problems } = openSpec(text, folderFiles(folder));
  // Rules on the data warn about made-up images.
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return new TrainingSession(run!, text);
}

describe('recipes', () => {
  it('mnist: reads compressed IDX files of 28 × 28 pixels', () => {
    const images = Buffer.alloc(16 + 100 * 784);
    images.set([0, 0, 8, 3]);
    [100, 28, 28].forEach((size, i) => images.writeUInt32BE(size, 4 + 4 * i));
    const labels = Buffer.alloc(8 + 100);
    labels.set([0, 0, 8, 1]);
    labels.writeUInt32BE(100, 4);
    for (let i = 0; i < 100; i++) {
      labels[8 + i] = i % 10;
      for (let pixel = 0; pixel < 784; pixel++) images[16 + i * 784 + pixel] = gray(i, pixel);
    }
    writeFileSync(path.join(folder, 'train-images-idx3-ubyte.gz'), gzipSync(images));
    writeFileSync(path.join(folder, 'train-labels-idx1-ubyte.gz'), gzipSync(labels));
    const session = open(specs[0]);
    expect(session.model.inputShape).toEqual([1, 28, 28]);
    expect(session.model.parameterCount).toBe(238_510);
    expect(session.run.dataset.inputs[1]).toBeCloseTo(gray(0, 1) / 255, 6);
    session.step();
    expect(Number.isFinite(session.loss)).toBe(true);
  });

  it('cifar: reads images of 3 × 32 × 32, the red numbers first', () => {
    const data = Buffer.alloc(100 * 3072);
    const labels = Buffer.alloc(100 * 8);
    for (let i = 0; i < 100; i++) {
      labels.writeBigInt64LE(BigInt(i % 10), 8 * i);
      for (let k = 0; k < 3072; k++) data[i * 3072 + k] = gray(i, k);
    }
    writeFileSync(path.join(folder, 'cifar-images.npy'), npy('|u1', [100, 3, 32, 32], data));
    writeFileSync(path.join(folder, 'cifar-labels.npy'), npy('<i8', [100], labels));
    const session = open(specs[1]);
    expect(session.model.inputShape).toEqual([3, 32, 32]);
    expect(session.model.classes).toHaveLength(10);
    expect(session.model.parameterCount).toBe(1_191_170);
    session.step();
    expect(Math.abs(session.loss! - Math.log(10))).toBeLessThan(0.1);
  });
});
