// Damaged data files for the readers, and what must hold for each: a dataset with the numbers that a slow reader finds
// in the same bytes, or a DataError; never another exception. Used by the test of a sample and by the campaign in
// bench/.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import type { DatasetKind } from '../../src/engine/datasets';
import { DataError } from '../../src/engine/datasets/data-error';
import type { Dataset } from '../../src/engine/datasets/dataset';
import type { DataFile, DataFiles } from '../../src/engine/datasets/data-file';
import { numel, type Precision } from '../../src/engine/kernels/tensor';
import { losses, type LossKind } from '../../src/engine/losses';
import { Random } from '../../src/engine/random';
import { filesOnDisk } from './data-files';
import { makeDataset } from './datasets';
import { measureProcessorTime } from './processor-time';
import { slowRead, type SlowDataset, type SlowOptions } from './slow-readers';

/** Files, and the options of the dataset that reads them. */
export interface FuzzInput {
  readonly name: string;
  /** In base64, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly data: { readonly type: DatasetKind };
  readonly loss: LossKind;
  readonly precision: Precision;
}

/** Larger seeds would take the time of many small ones. Bytes in base64. */
const MAX_SEED_LENGTH = 8192;

const goldenFolder = join(process.cwd(), 'test', 'golden');
const fromJson = (file: string): unknown => JSON.parse(readFileSync(join(goldenFolder, file), 'utf8'));

/** Inputs that once revealed a fault. */
export const corpus = (): readonly FuzzInput[] => fromJson('tables/fuzz-corpus.json') as FuzzInput[];

/** The golden tables and arrays, tables that use every option, and malicious files. */
export function fuzzSeeds(): readonly FuzzInput[] {
  const { cases } = fromJson('tables/cases.json') as {
    cases: Record<string, Omit<FuzzInput, 'name'> & { expect: { error?: string } }>;
  };
  const golden = Object.entries(cases).map(([name, { files, data, loss, precision, expect }]) => ({
    isRefused: expect.error !== undefined,
    input: { name, files, data, loss, precision },
  }));
  const refused = golden.filter(({ isRefused }) => isRefused).map(({ input }) => input);
  const read = golden.filter(({ isRefused }) => !isRefused).map(({ input }) => input);
  // Most real files are valid, and changing an invalid one rarely reveals anything.
  const weighted = [...read, ...tables(), ...arrays(), ...bombs()].flatMap((input) => [input, input, input]);
  return [...weighted, ...refused].filter(({ files }) => Object.values(files).join('').length < MAX_SEED_LENGTH);
}

function tables(): FuzzInput[] {
  const table = (name: string, text: string, options: object, loss: LossKind = 'mse'): FuzzInput => ({
    name: `table-${name}`,
    files: { 'd.csv': base64(new TextEncoder().encode(text)) },
    data: { type: 'csv', path: 'd.csv', ...options } as FuzzInput['data'],
    loss,
    precision: 'float64',
  });
  const numbers = '1,2.5,-3\n4e1,.5,6\n7,8,9e-3\n';
  return [
    table('quoted', `"a ""x""","b\nb","c,c"\r\n"1","2"," 3 "\r\n4,"5",6\r\n`, {}),
    table('chosen', `a,b,c\n${numbers}`, { inputs: ['c', 1], target: 'b' }),
    table('classes', 'x;kind\n1;cat\n2;"d""og"\n3;cat\n4;Öl 🐟\n', {}, 'cross_entropy'),
    table('named-classes', 'x,kind\n1,b\n2,a\n', { classes: ['a', 'b', 'c'] }, 'cross_entropy'),
    table('counted-classes', 'x,kind\n1,0\n2,2\n3,01\n', { classes: 3 }, 'cross_entropy'),
    table('whole-labels', 'x,kind\n1,10\n2,-2\n3,1e1\n4,+10\n', { task: 'classes' }, 'cross_entropy'),
    table('missing', `a,b,c\n${numbers}NA,1,2\n5,?,1\n`, { missing: 'mean' }),
    table('dropped', `a,b,c\n${numbers}NA,1,2\n5,1,-\n`, { missing: 'drop' }),
    table('limited', `a,b,c\n${numbers}${numbers}`, { limit: 4 }),
    table('european', 'a;b;c\n1.234,5;0,1;-3\n12;3,0;4\n', { decimal: ',', thousands: '.' }),
    table('spaced-thousands', 'a;b\n1 234;2\n5\u202f678.5;3\n', { thousands: ' ' }),
    table('spaces', '# made by hand\n  1  2\t3\n  4 "5" 6\n', { delimiter: ' ', comment: '#', header: false }),
    table('carriage-returns', 'a,b\r1,2\r\r3,4', {}),
    table('start', '\ufeff \n\nsep=|\n% x\na|b|\n1|2|\n3|4|\n', { comment: '%' }),
    table('marks', `a,b,c\n${numbers}-999,1,2\n5,low,1\n`, { missing: 'mean', missing_values: [-999, 'low'] }),
    table('marks-dropped', `a,b,c\n${numbers}8.0,1,2\n5,1,7\n`, { missing: 'drop', missing_values: ['8', 7] }),
    table('codes', 'x,kind\n1,007\n2,100\n3,007\n', { task: 'classes' }, 'cross_entropy'),
    table('digits', `a,b\n${'1'.repeat(4000)}x,1\n[${'2'.repeat(900)},2\n`, { missing: 'drop', missing_values: ['x'] }),
    table('long', `a,b\n${Array.from({ length: 130 }, (_, i) => `${i},${i % 7}`).join('\n')}\n`, {}),
  ];
}

/** NumPy's own files, each as inputs and as targets or labels. */
function arrays(): FuzzInput[] {
  const { cases } = fromJson('arrays/values.json') as { cases: Record<string, { shape: number[] }> };
  const file = (name: string): string => readFileSync(join(goldenFolder, 'arrays', name)).toString('base64');
  const common = { loss: 'mse', precision: 'float64' } as const;
  const npy = Object.entries(cases)
    .filter(([name]) => name.endsWith('.npy') && !name.includes('/'))
    .flatMap(([name, { shape }]): FuzzInput[] => {
      const files = { 'x.npy': file(name), 'y.npy': file(name) };
      const variants: object[] = [{ targets: 'y.npy' }, { labels: 'y.npy' }, { targets: 'y.npy', missing: 'drop' }];
      if (shape.length === 4) variants.push({ targets: 'y.npy', layout: 'hwc', limit: 1, divide_by: 3 });
      return variants.map((options) => ({
        name: `array-${name}`,
        files,
        data: { type: 'npy', inputs: 'x.npy', ...options } as FuzzInput['data'],
        ...common,
      }));
    });
  const npz = ['stored.npz', 'deflated.npz'].flatMap((name): FuzzInput[] =>
    [{ targets: 'y' }, { labels: 'labels' }].map((options) => ({
      name: `array-${name}`,
      files: { 'd.npz': file(name) },
      data: { type: 'npz', path: 'd.npz', inputs: 'x', ...(options as object) } as FuzzInput['data'],
      ...common,
    })),
  );
  const idx = ['images.idx', 'images.idx.gz'].map((name): FuzzInput => ({
    name: `array-${name}`,
    files: { im: file(name), lb: file('labels.idx') },
    data: { type: 'idx', images: 'im', labels: 'lb' } as FuzzInput['data'],
    ...common,
  }));
  return [...npy, ...npz, ...npz, ...idx, ...idx, ...idx];
}

const fromBase64 = (content: string): Uint8Array => new Uint8Array(Buffer.from(content, 'base64'));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Compressed files that decompress to far more than their size. */
function bombs(): FuzzInput[] {
  const zeros = new Uint8Array(2 ** 21);
  const idx = (count: number, body: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.of(0, 0, 8, 3, 0, 0, count >> 8, count & 255, 0, 0, 0, 2, 0, 0, 0, 2), body]);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 0, 1);
  const common = { loss: 'cross_entropy', precision: 'float32' } as const;
  return [
    {
      name: 'gzip-bomb',
      files: { im: base64(gzipSync(idx(2, zeros))), lb: base64(gzipSync(labels)) },
      data: { type: 'idx', images: 'im', labels: 'lb' } as FuzzInput['data'],
      ...common,
    },
    {
      name: 'zip-bomb',
      files: { 'd.npz': base64(zipOf('x.npy', zeros)) },
      data: { type: 'npz', path: 'd.npz', inputs: 'x', labels: 'x' } as FuzzInput['data'],
      ...common,
    },
  ];
}

/** A zip file with one entry and a wrong checksum. */
export function zipOf(name: string, content: Uint8Array): Uint8Array {
  const packed = deflateRawSync(content);
  const header = (signature: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32LE(signature, 0);
    const isEntry = length === 46;
    const at = isEntry ? 10 : 8;
    bytes.writeUInt16LE(8, at);
    bytes.writeUInt32LE(packed.length, at + 10);
    bytes.writeUInt32LE(content.length, at + 14);
    bytes.writeUInt16LE(name.length, at + 18);
    return bytes;
  };
  const local = Buffer.concat([header(0x04034b50, 30), Buffer.from(name), packed]);
  const entry = Buffer.concat([header(0x02014b50, 46), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

const INTERESTING = [0, 1, 0x22, 0x0a, 0x0d, 0x2c, 0x3b, 0x20, 0x2e, 0x2d, 0x7f, 0x80, 0xff];

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes.slice();
  for (let times = Math.max(1, random.integerBelow(5) - 1); times > 0 && out.length > 0; times--) {
    const at = random.integerBelow(out.length);
    switch (random.integerBelow(7)) {
      case 0:
        out[at] ^= 1 << random.integerBelow(8);
        break;
      case 1:
        out[at] = INTERESTING[random.integerBelow(INTERESTING.length)];
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3: {
        const part = out.slice(at, at + 1 + random.integerBelow(40));
        out = Uint8Array.from([...out.slice(0, at), ...part, ...out.slice(at)]);
        break;
      }
      case 4:
        out = Uint8Array.from([...out.slice(0, at), ...out.slice(at + 1 + random.integerBelow(4))]);
        break;
      case 5:
        // Changes a count or an offset by one.
        out[at] += random.integerBelow(2) === 0 ? 1 : -1;
        break;
      default:
        // A length or offset that is too large.
        out.fill(0xff, at, at + 1 + random.integerBelow(8));
    }
  }
  return out;
}

/** Input `index` of a campaign, determined by the seed. */
export function drawInput(seeds: readonly FuzzInput[], seed: number, index: number): FuzzInput {
  const random = new Random(seed, `fuzz-${index}`);
  const input = seeds[random.integerBelow(seeds.length)];
  const files = Object.fromEntries(
    Object.entries(input.files).map(([path, content]) => {
      const isMutated = random.integerBelow(3) > 0;
      return [path, isMutated ? base64(mutate(fromBase64(content), random)) : content];
    }),
  );
  return { ...input, files, precision: random.integerBelow(2) === 0 ? 'float32' : 'float64' };
}

/** The chunk sizes in which the files of an input are read. */
export interface PieceSizes {
  /** Bytes per chunk of numbers. */
  readonly bytes: number;
  /** Characters per chunk of text. */
  readonly characters: number;
}

export const WHOLE: PieceSizes = { bytes: 2 ** 20, characters: 2 ** 14 };

/** Chunks of 1 to 7, or now and then whole files. */
export const drawPieces = (index: number): PieceSizes =>
  index % 8 === 0 ? WHOLE : { bytes: index % 8, characters: index % 8 };

/** The text of files in chunks that may be shorter than the bytes of a character. */
function withShortText(files: DataFiles, characters: number): DataFiles {
  const cut = (file: DataFile): DataFile => ({
    name: file.name,
    size: file.size,
    chunkBytes: file.chunkBytes,
    get bytesRead() {
      return file.bytesRead;
    },
    read: (offset, length) => file.read(offset, length),
    *text() {
      for (const text of file.text())
        for (let at = 0; at < text.length; at += characters) yield text.slice(at, at + characters);
    },
  });
  return { ...files, open: (path, at) => cut(files.open(path, at)) };
}

export const bytesOf = ({ files }: FuzzInput): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, fromBase64(content)]));

/** Codes of errors for files that contain numbers, but probably not those that their author meant. */
const REFUSED_BY_CHOICE: ReadonlySet<string> = new Set([
  'wrong-file-kind',
  'names-missing',
  'space-delimited',
  'comment-line',
]);

const UNREAD_NUMBERS: ReadonlySet<string> = new Set([
  ...['thousands-separator', 'decimal-comma', 'decimal-point', 'ambiguous-comma', 'percent', 'accounting', 'currency'],
  ...['not-a-minus', 'too-large', 'not-decimal', 'fortran-exponent', 'date', 'unit', 'quotes-in-cell', 'bound'],
  ...['credit', 'comment-behind', 'invisible-character', 'minus-behind', 'times-ten', 'spreadsheet-error'],
]);

export interface CheckedInput {
  readonly outcome: 'dataset' | 'refused';
  /** Milliseconds of processor time that the reader took at most, without the slow one. */
  readonly milliseconds: number;
}

/** Elapsed time below this is not worth a measurement of processor time, which takes as long as many inputs. */
const MAX_UNMEASURED_MS = 20;

/** @throws Error that says which requirement is violated */
export function checkInput(input: FuzzInput, pieces: PieceSizes): CheckedInput {
  const { data, loss, precision } = input;
  const start = performance.now();
  const result = read(input, pieces);
  let milliseconds = performance.now() - start;
  if (milliseconds > MAX_UNMEASURED_MS)
    ({ milliseconds } = measureProcessorTime(MAX_UNMEASURED_MS, () => read(input, pieces)));
  const slow = slowRead(data as SlowOptions, bytesOf(input), {
    precision,
    predictsValues: losses[loss].target === 'values',
  });
  if (result instanceof DataError) {
    checkRefusal(result, slow);
    return { outcome: 'refused', milliseconds };
  }
  // Rows after the limit may be anything.
  const isRestUnread = data.type === 'csv' && (data as SlowOptions).limit !== undefined;
  if (slow || !isRestUnread) compare(result, slow);
  return { outcome: 'dataset', milliseconds };
}

function read(input: FuzzInput, { bytes, characters }: PieceSizes): Dataset | DataError {
  const { type, ...options } = input.data;
  try {
    const onDisk = filesOnDisk(bytesOf(input), { text: Math.max(4, characters), numbers: bytes });
    const files = withShortText(onDisk, characters);
    return makeDataset(type, options, { files, precision: input.precision, loss: losses[input.loss] });
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
}

function checkRefusal({ code, message, remedy }: DataError, slow: SlowDataset | undefined): void {
  const text = `${message} ${remedy}`;
  if (!/\S[.?]$/.test(message) || !/\S[.?]$/.test(remedy)) throw new Error(`no sentence: ${text}`);
  if (/\p{Cc}|undefined|\[object/u.test(text)) throw new Error(`unfit to be printed: ${text}`);
  // Texts that were meant as numbers, for a loss that predicts values.
  const isUnread = UNREAD_NUMBERS.has(code) && slow?.classes?.every((name) => /\d/.test(name));
  if (slow && !isUnread && !REFUSED_BY_CHOICE.has(code))
    throw new Error(`refused (${code}), but it can be read: ${text}`);
}

function compare(dataset: Dataset, slow: SlowDataset | undefined): void {
  const { samples, inputShape, inputs, targets, targetSize, classes, fillMissing } = dataset;
  const wrong = (what: string, ours: unknown, theirs: unknown): never => {
    throw new Error(`${what}: ${JSON.stringify(ours)}, but the slow reader says ${JSON.stringify(theirs)}`);
  };
  if (inputs.length !== samples * numel(inputShape) || targets.length !== samples * targetSize)
    throw new Error('another number of values than its shape');
  if (!slow) throw new Error('read, but the slow reader refuses it');
  const differs = (ours: ArrayLike<number>, theirs: readonly number[]): boolean =>
    ours.length !== theirs.length || theirs.some((value, i) => !Object.is(ours[i], value));
  if (String(inputShape) !== String(slow.inputShape)) wrong('shape', inputShape, slow.inputShape);
  if (differs(inputs, slow.inputs)) wrong('inputs', [...inputs], slow.inputs);
  if (differs(targets, slow.targets)) wrong('targets', [...targets], slow.targets);
  if (JSON.stringify(classes) !== JSON.stringify(slow.classes)) wrong('classes', classes, slow.classes);
  if (Boolean(fillMissing) !== slow.inputs.some(Number.isNaN)) wrong('missing', fillMissing, slow.inputs);
}

/** A short name for an input of the corpus. */
export const fingerprint = (input: FuzzInput): string =>
  createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 12);
