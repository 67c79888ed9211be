// Realistic tables and arrays: the values that Python and NumPy read from the same bytes, or the error and its
// position.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DatasetKind } from '../../../src/engine/datasets';
import { DataError } from '../../../src/engine/datasets/data-error';
import type { Dataset } from '../../../src/engine/datasets/dataset';
import { fillMissing } from '../../../src/engine/datasets/fill-missing';
import { losses, type LossKind } from '../../../src/engine/losses';
import type { Precision } from '../../../src/engine/kernels/tensor';
import { makeDataset } from '../../support/datasets';
import { filesOnDisk } from '../../support/data-files';

interface GoldenCase {
  readonly files: Readonly<Record<string, string>>;
  readonly data: { readonly type: DatasetKind };
  readonly loss: LossKind;
  readonly precision: Precision;
  readonly expect: {
    readonly inputs?: readonly number[];
    readonly targets?: readonly number[];
    readonly classes?: readonly string[];
    readonly notes?: readonly string[];
    readonly sum?: number;
    readonly squares?: number;
    readonly error?: string;
    readonly place?: string;
    readonly remedy?: string;
  };
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../golden/tables/cases.json'), 'utf8')) as {
  cases: Record<string, GoldenCase>;
};

/** One to seven bytes of text at a time, and whole files. */
const CHUNK_SIZES = [
  { text: 4, numbers: 1 },
  { text: 5, numbers: 3 },
  { text: 7, numbers: 7 },
  { text: 2 ** 14, numbers: 2 ** 20 },
];

function read({ files, data: { type, ...options }, loss, precision }: GoldenCase, chunk: number): Dataset {
  const contents = Object.fromEntries(
    Object.entries(files).map(([name, base64]) => [name, new Uint8Array(Buffer.from(base64, 'base64'))]),
  );
  const dataset = makeDataset(type, options, {
    files: filesOnDisk(contents, CHUNK_SIZES[chunk]),
    precision,
    loss: losses[loss],
  });
  if (dataset.fillMissing) {
    const everySample = Uint32Array.from({ length: dataset.samples }, (_, i) => i);
    fillMissing(dataset.inputs, dataset.inputShape, everySample, dataset.featureNames);
  }
  return dataset;
}

const errorOf = (golden: GoldenCase, chunk: number): DataError => {
  try {
    read(golden, chunk);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('this should have been refused');
};

const sumOf = (values: ArrayLike<number>, of: (value: number) => number): number =>
  Array.from(values).reduce((sum, value) => sum + of(value), 0);

describe.each(Object.entries(cases))('%s', (_name, golden) => {
  const wanted = golden.expect;

  if (wanted.error !== undefined)
    it('is refused at its place', () => {
      for (const chunk of CHUNK_SIZES.keys()) {
        const error = errorOf(golden, chunk);
        expect(error.code).toBe(wanted.error);
        expect(error.message).toContain(wanted.place ?? '');
        expect(error.remedy).toContain(wanted.remedy ?? '');
        expect(error.remedy).toMatch(/\S[.?]$/);
        // No characters that a terminal would interpret.
        expect(error.message + error.remedy).not.toMatch(/\p{Cc}/u);
      }
    });

  if (wanted.inputs !== undefined)
    it('has the values that Python reads', () => {
      for (const chunk of CHUNK_SIZES.keys()) {
        const { inputs, targets, classes, notes = [] } = read(golden, chunk);
        expect([...inputs]).toEqual(wanted.inputs);
        expect([...targets]).toEqual(wanted.targets);
        expect(classes).toEqual(wanted.classes);
        expect(notes.map(({ code }) => code)).toEqual(wanted.notes);
      }
    });

  if (wanted.sum !== undefined)
    it('has the sums that NumPy computes', () => {
      const { inputs } = read(golden, CHUNK_SIZES.length - 1);
      // All of these numbers are multiples of 2^-24 below 2^16, so that the sum is exact.
      expect(sumOf(inputs, (value) => value)).toBe(wanted.sum);
      expect(sumOf(inputs, (value) => value * value) / (wanted.squares ?? NaN)).toBeCloseTo(1, 12);
    });
});
