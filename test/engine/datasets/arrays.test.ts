// NPY, NPZ and IDX files: NumPy's own files with known values, and every way in which a file can be wrong.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DatasetKind } from '../../../src/engine/datasets';
import { type ArrayFile, readRows } from '../../../src/engine/datasets/array-file';
import { DataError } from '../../../src/engine/datasets/data-error';
import type { Dataset } from '../../../src/engine/datasets/dataset';
import { openIdx } from '../../../src/engine/datasets/idx-format';
import { openNpy } from '../../../src/engine/datasets/npy-format';
import { crc32, NpzArchive } from '../../../src/engine/datasets/npz-archive';
import { runToCompletion } from '../../../src/engine/cooperative-task';
import { numel } from '../../../src/engine/kernels/tensor';
import { makeDataset } from '../../support/datasets';
import { zipOf } from '../../support/reader-fuzzing';
import { filesOnDisk, readFolder, withName } from '../../support/data-files';

const folder = join(__dirname, '../../golden/arrays');
const files = readFolder(folder);
const bytesOf = (name: string): Buffer => readFileSync(join(folder, name));
const { cases } = JSON.parse(bytesOf('values.json').toString()) as {
  cases: Record<string, { shape: number[]; values: number[] }>;
};

function openArray(name: string): ArrayFile {
  const [path, array] = name.split('/');
  const file = files.open(path, []);
  if (array) return openNpy(new NpzArchive(files, file, []).array(array, []), []);
  return path.endsWith('.npy') ? openNpy(file, []) : openIdx(files, file, []);
}

function valuesOf(array: ArrayFile, rows?: Uint32Array): number[] {
  const into = new Float64Array(numel(array.shape.slice(1)) * (rows?.length ?? array.shape[0]));
  runToCompletion(readRows(array, { into, rows }));
  return [...into];
}

function errorOf(kind: DatasetKind, options: object, contents: Record<string, string | Uint8Array>): DataError {
  try {
    makeDataset(kind, options, { files: filesOnDisk(contents) });
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('this should have been refused');
}

describe('arrays written by NumPy', () => {
  it.each(Object.entries(cases))('%s', (name, { shape, values }) => {
    const array = openArray(name);
    expect(array.shape).toEqual(shape);
    expect(valuesOf(array)).toEqual(values);
  });

  it('can also be read row by row', () => {
    for (const [name, { shape, values }] of Object.entries(cases)) {
      const width = numel(shape.slice(1));
      const rows = Uint32Array.of(0, shape[0] - 1);
      expect(valuesOf(openArray(name), rows)).toEqual([...values.slice(0, width), ...values.slice(-width)]);
    }
  });

  it.each(['stored.npz', 'deflated.npz'])('keep their values while another array of %s is read', (name) => {
    const archive = new NpzArchive(files, files.open(name, []), []);
    const arrays = ['x', 'y', 'labels'].map((array) => openNpy(archive.array(array, []), []));
    expect(arrays.map((array) => valuesOf(array))).toEqual(
      ['x', 'y', 'labels'].map((array) => cases[`${name}/${array}`].values),
    );
  });

  it('are the same whether compressed with gzip or plain', () => {
    expect(valuesOf(openArray('images.idx.gz'))).toEqual(valuesOf(openArray('images.idx')));
  });

  it('have the checksum of the format', () => {
    // The standard check value of CRC-32.
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });
});

describe('a dataset from arrays', () => {
  const images = cases['images.idx'].values;
  const idx = { images: 'images.idx.gz', labels: 'labels.idx' };
  const make = (kind: DatasetKind, options: object, more = {}): Dataset =>
    makeDataset(kind, options, { files, ...more });

  it('has images of one channel, scaled to 0 to 1', () => {
    const { inputShape, samples, classes, inputs, targets } = make('idx', idx);
    expect({ inputShape, samples, classes }).toEqual({ inputShape: [1, 3, 2], samples: 5, classes: ['0', '3', '7'] });
    expect([...inputs]).toEqual(images.map((pixel) => pixel / 255));
    expect([...targets]).toEqual([2, 0, 2, 1, 0]);
  });

  it('keeps pixel values on request', () => {
    expect([...make('idx', { ...idx, divide_by: 1 }).inputs]).toEqual(images);
  });

  it('takes the classes from the spec', () => {
    const { classes, targets } = make('idx', { ...idx, classes: 10 });
    expect(classes).toHaveLength(10);
    expect([...targets]).toEqual([7, 0, 7, 3, 0]);
  });

  it('takes numbers as indices of names, unless one is a name', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    expect([...make('idx', { ...idx, classes: names }).targets]).toEqual([7, 0, 7, 3, 0]);
    expect([...make('idx', { ...idx, classes: ['7', '3', '0'] }).targets]).toEqual([0, 2, 0, 1, 2]);
    const mixed = { ...idx, classes: ['7', ...names.slice(1)] };
    expect(() => make('idx', mixed)).toThrow('the label 0 is out of range');
    expect(() => make('idx', { ...idx, classes: names.slice(1) })).toThrow('the label 7 is out of range');
  });

  it("is stored no wider than the network's precision", () => {
    const { inputs } = make('idx', idx, { precision: 'float32' });
    expect(inputs).toBeInstanceOf(Float32Array);
    expect([...inputs]).toEqual(images.map((pixel) => Math.fround(pixel / 255)));
  });

  it('takes the first samples, or random ones from the seed, with their own labels', () => {
    const all = make('idx', idx);
    const first = make('idx', { ...idx, limit: 2 });
    expect([...first.inputs]).toEqual([...all.inputs.slice(0, 12)]);
    const name = ({ classes, targets }: Dataset, i: number): string => classes![targets[i]];
    const draws = [1, 2, 3, 4, 5, 6].map((seed) => {
      const drawn = make('idx', { ...idx, limit: 3, pick: 'random', classes: 10 }, { seed });
      return Array.from({ length: 3 }, (_, i) => {
        const image = [...drawn.inputs.slice(6 * i, 6 * i + 6)];
        const from = [0, 1, 2, 3, 4].find((k) => image.every((pixel, p) => pixel === all.inputs[6 * k + p]))!;
        expect(name(drawn, i)).toBe(name(all, from));
        return from;
      });
    });
    expect(draws.every((rows) => rows[0] < rows[1] && rows[1] < rows[2])).toBe(true);
    expect(new Set(draws.map(String)).size).toBeGreaterThan(1);
  });

  it('moves channels to the front', () => {
    const { inputShape, inputs } = make(
      'npy',
      { inputs: 'fortran-4d.npy', targets: 'two.npy', layout: 'hwc' },
      {
        files: {
          ...files,
          open: (path: string, at: string[]) => files.open(path === 'two.npy' ? 'fortran-4d.npy' : path, at),
        },
      },
    );
    // The array contains 0, 1, 2, … in the order sample, height, width, channel: 2×3×4×5.
    expect(inputShape).toEqual([5, 3, 4]);
    for (let c = 0; c < 5; c++) {
      for (let y = 0; y < 3; y++) {
        for (let x = 0; x < 4; x++) expect(inputs[60 + (c * 3 + y) * 4 + x]).toBe(60 + (y * 4 + x) * 5 + c);
      }
    }
  });

  it.each(['stored.npz', 'deflated.npz'])('keeps inputs and targets of %s apart', (path) => {
    const { inputs, targets } = make('npz', { path, inputs: 'x', targets: 'y' });
    expect([...inputs]).toEqual(cases[`${path}/x`].values);
    expect([...targets]).toEqual(cases[`${path}/y`].values);
  });

  it('has values to predict, one or several per sample', () => {
    const { targetSize, targets, classes } = make('npz', { path: 'deflated.npz', inputs: 'x', targets: 'y' });
    expect({ targetSize, classes }).toEqual({ targetSize: 2, classes: undefined });
    expect([...targets]).toEqual(cases['deflated.npz/y'].values);
  });

  it('treats an array of one axis as samples of one number', () => {
    expect(make('npy', { inputs: 'one-axis.npy', labels: 'labels.npy' }).inputShape).toEqual([1]);
  });
});

const npyOf = (header: string, data: Uint8Array = new Uint8Array()): Uint8Array =>
  Uint8Array.from([
    0x93,
    ...Buffer.from('NUMPY'),
    1,
    0,
    header.length & 255,
    header.length >> 8,
    ...Buffer.from(header),
    ...data,
  ]);
const header = (type: string, shape: string): string =>
  `{'descr': ${type}, 'fortran_order': False, 'shape': ${shape}, }`;
const withByte = (bytes: Uint8Array, at: number, value: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte));

describe('a wrong file', () => {
  const x = bytesOf('float32.npy');
  const labels = bytesOf('labels.npy');
  const npy = (inputs: Uint8Array, given: Uint8Array = labels): DataError =>
    errorOf('npy', { inputs: 'x.npy', labels: 'y.npy' }, { 'x.npy': inputs, 'y.npy': given });
  const images = bytesOf('images.idx');
  const marks = bytesOf('labels.idx');
  const idx = (i: Uint8Array, l: Uint8Array = marks, options = {}): DataError =>
    errorOf('idx', { images: 'i', labels: 'l', ...options }, { i, l });
  const npz = (bytes: Uint8Array, inputs = 'x'): DataError =>
    errorOf('npz', { path: 'a.npz', inputs, targets: 'y' }, { 'a.npz': bytes });
  const stored = bytesOf('stored.npz');
  const nan = new Uint8Array(Float64Array.of(1, 2, NaN).buffer);
  const large = new Uint8Array(BigInt64Array.of(1n, 2n, 2n ** 60n).buffer);

  it.each<[string, () => DataError, string, (string | number)[]]>([
    ['an empty .npy', () => npy(new Uint8Array()), 'x.npy: it is empty.', ['inputs']],
    ['another magic', () => npy(withByte(x, 1, 65)), 'x.npy: it is not a .npy file', ['inputs']],
    ['a version of the future', () => npy(withByte(x, 6, 9)), 'x.npy: byte 7 says version 9', ['inputs']],
    [
      'a header cut off',
      () => npy(x.subarray(0, 40)),
      'x.npy: it ends at byte 40, in the middle of its header.',
      ['inputs'],
    ],
    [
      'numbers cut off',
      () => npy(x.subarray(0, x.length - 1)),
      `it ends at byte ${x.length - 1}, but 3×4 numbers of type float32 would end at byte ${x.length}.`,
      ['inputs'],
    ],
    [
      'more than its header says',
      () => npy(Buffer.concat([x, x])),
      `a second array follows after byte ${x.length}`,
      ['inputs'],
    ],
    [
      'complex numbers',
      () => npy(npyOf(header("'<c8'", '(1,)'), new Uint8Array(8))),
      'its entries are complex numbers ("<c8").',
      ['inputs'],
    ],
    [
      'records',
      () => npy(npyOf(header("[('a', '<f4')]", '(1,)'), new Uint8Array(4))),
      'its entries are records of several fields.',
      ['inputs'],
    ],
    [
      'objects',
      () => npy(npyOf(header("'|O'", '(1,)'), new Uint8Array(4))),
      'its entries are Python objects',
      ['inputs'],
    ],
    [
      'no shape',
      () => npy(npyOf("{'descr': '<f4', 'fortran_order': False, }")),
      'its header lacks the type, order and shape',
      ['inputs'],
    ],
    [
      'a single number',
      () => npy(npyOf(header("'<f4'", '()'), new Uint8Array(4))),
      'it contains a single number',
      ['inputs'],
    ],
    [
      'no samples',
      () => npy(npyOf(header("'<f4'", '(0, 4)'))),
      'its shape is 0×4, so it contains no samples.',
      ['inputs'],
    ],
    [
      'a shape beyond all memory',
      () => npy(npyOf(header("'<f4'", '(999999999, 999999999)'))),
      'would end at byte',
      ['inputs'],
    ],
    ['NaN', () => npy(npyOf(header("'<f8'", '(3, 1)'), nan)), 'x.npy: the number at [2, 0] is NaN.', ['inputs']],
    [
      'a whole number that a double cannot hold',
      () => npy(npyOf(header("'<i8'", '(3,)'), large)),
      'the number at [2] is 1152921504606847000, too large',
      ['inputs'],
    ],
    [
      'labels that are not whole',
      () => npy(x, npyOf(header("'<f8'", '(3,)'), new Uint8Array(24))),
      'y.npy: its numbers are of type float64; labels are integers.',
      ['labels'],
    ],
    [
      'one-hot labels',
      () => npy(x, npyOf(header("'|u1'", '(3, 2)'), new Uint8Array(6))),
      'y.npy: its shape is 3×2; labels are one integer per sample.',
      ['labels'],
    ],
    [
      'labels of another number of samples',
      () => npy(x, npyOf(header("'|u1'", '(2,)'), new Uint8Array(2))),
      'y.npy: it has 2 rows, but x.npy has 3.',
      ['labels'],
    ],

    ['an empty IDX', () => idx(new Uint8Array()), 'i: it is empty.', ['images']],
    [
      'IDX of another magic',
      () => idx(withByte(images, 0, 1)),
      'i: it is not an IDX file: its first two bytes are not 0.',
      ['images'],
    ],
    ['IDX of an unknown type', () => idx(withByte(images, 2, 0x0a)), 'i: byte 3 says type 0x0a', ['images']],
    [
      'IDX cut off in its header',
      () => idx(images.subarray(0, 9)),
      'i: it ends at byte 9, in the middle of its header.',
      ['images'],
    ],
    [
      'IDX cut off in its pixels',
      () => idx(images.subarray(0, 20)),
      'i: it ends at byte 20, but 5×3×2 numbers of type uint8 would end at byte 46.',
      ['images'],
    ],
    ['gzip cut off', () => idx(bytesOf('images.idx.gz').subarray(0, 30)), 'i: it is damaged or truncated', ['images']],
    [
      'gzip with a byte changed',
      () => idx(withByte(bytesOf('images.idx.gz'), 30, 7)),
      'i: it is damaged or truncated',
      ['images'],
    ],
    ['swapped images and labels', () => idx(marks, images), 'i: it contains one number per sample', ['images']],
    [
      'labels of other images',
      () => idx(images, withByte(marks, 7, 4).subarray(0, 12)),
      'l: it has 4 rows, but i has 5.',
      ['labels'],
    ],
    [
      'a class that there is none of',
      () => idx(images, marks, { classes: 7 }),
      'l, row 1: the label 7 is out of range',
      ['labels'],
    ],

    ['an empty .npz', () => npz(new Uint8Array()), 'a.npz: it is not a .npz file, or truncated', ['path']],
    [
      '.npz cut off',
      () => npz(stored.subarray(0, stored.length - 30)),
      'a.npz: it is not a .npz file, or truncated',
      ['path'],
    ],
    ['an array that is not in it', () => npz(stored, 'lables'), 'a.npz has no array "lables".', ['inputs']],
    ['.npz with a byte changed', () => npz(withByte(stored, 200, 255)), 'a.npz, x: it is damaged', ['inputs']],
  ])('with %s is refused', (_what, of, message, path) => {
    const error = of();
    expect(error.message).toContain(message);
    expect(error.path).toEqual(path);
    expect(error.remedy).toMatch(/\S[.?]$/);
  });

  it('that unpacks to a thousand times its size is refused before it fills the memory', () => {
    const zeros = new Uint8Array(2 ** 26 + 1);
    const labels = bytesOf('labels.idx');
    const packed = gzipSync(zeros, { level: 1 });
    expect(errorOf('idx', { images: 'a', labels: 'b' }, { a: packed, b: labels }).code).toBe('unpacks-too-large');
    expect(npz(zipOf('x.npy', zeros)).code).toBe('unpacks-too-large');
  });

  it('suggests a similar array name', () => {
    expect(npz(stored, 'lables').suggestion).toBe('labels');
  });

  it('rejects one that is too large with its size, before reading it', () => {
    const bytes = npyOf(header("'|u1'", '(20, 30000000)'));
    const file = withName(filesOnDisk({ x: bytes }).open('x', []), 'x', bytes.length + 600_000_000);
    const given = { ...files, open: (path: string, at: string[]) => (path === 'x' ? file : files.open(path, at)) };
    const twenty = {
      ...files,
      open: (path: string, at: string[]) =>
        path === 'y'
          ? filesOnDisk({ y: npyOf(header("'|u1'", '(20,)'), new Uint8Array(20)) }).open('y', at)
          : given.open(path, at),
    };
    expect(() => makeDataset('npy', { inputs: 'x', labels: 'y' }, { files: twenty, precision: 'float32' })).toThrow(
      'x would take 2,289 MB: 20 samples of 30,000,000 numbers in float32; the limit is 512 MB.',
    );
  });
});

describe('arbitrary bytes', () => {
  const attempt = (kind: DatasetKind, options: object, contents: Record<string, Uint8Array>): void => {
    try {
      const { samples, inputShape, inputs } = makeDataset(kind, options, { files: filesOnDisk(contents) });
      expect(inputs).toHaveLength(samples * numel(inputShape));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      expect(error.message).toMatch(/\S[.?]$/);
      expect(error.message + error.remedy).not.toMatch(/undefined|NaN×|\[object/);
    }
  };
  const good: [DatasetKind, object, string][] = [
    ['npy', { inputs: 'f', targets: 'f' }, 'f4-little.npy'],
    ['npy', { inputs: 'f', labels: 'f' }, 'u1-little.npy'],
    ['npy', { inputs: 'f', targets: 'f', limit: 2, pick: 'random' }, 'fortran-4d.npy'],
    ['npz', { path: 'f', inputs: 'x', targets: 'y' }, 'stored.npz'],
    ['npz', { path: 'f', inputs: 'x', labels: 'labels' }, 'deflated.npz'],
    ['idx', { images: 'f', labels: 'f' }, 'images.idx.gz'],
    ['idx', { images: 'f', labels: 'f' }, 'images.idx'],
    ['csv', { path: 'f' }, 'small.csv'],
  ];

  it.each(good)('%s %j: random bytes give a problem or a dataset', (kind, options, name) => {
    const head = bytesOf(name);
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(head.length), (bytes, kept) => {
      attempt(kind, options, { f: bytes });
      attempt(kind, options, { f: Buffer.concat([head.subarray(0, kept), bytes]) });
    });
    fc.assert(property, { numRuns: 300 });
  });

  it.each(good)('%s %j: truncated anywhere, or with any byte changed', (kind, options, name) => {
    const bytes = bytesOf(name);
    for (let length = 0; length < bytes.length; length++) attempt(kind, options, { f: bytes.subarray(0, length) });
    const property = fc.property(
      fc.nat(bytes.length - 1),
      fc.nat(255),
      fc.nat(bytes.length - 1),
      fc.nat(255),
      (at, value, other, by) => {
        attempt(kind, options, { f: withByte(withByte(bytes, at, value), other, by) });
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});
