// The readers of data files written a second time, slowly and obviously: whole files, one number or character at a
// time, sharing no code with those of the product. Their results are compared.
import zlib from 'node:zlib';

/** The result of a reader. Missing inputs are NaN. */
export interface SlowDataset {
  readonly inputShape: readonly number[];
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  readonly classes?: readonly string[];
}

/** The options of a dataset, as in a spec. */
export interface SlowOptions {
  readonly type: string;
  readonly path?: string;
  readonly inputs?: string | readonly (string | number)[];
  readonly targets?: string;
  readonly labels?: string;
  readonly images?: string;
  readonly target?: string | number;
  readonly header?: boolean;
  readonly delimiter?: string;
  readonly comment?: string;
  readonly decimal?: string;
  readonly thousands?: string;
  readonly missing?: 'error' | 'drop' | 'mean';
  readonly missing_values?: readonly (string | number)[];
  readonly task?: 'auto' | 'classes' | 'values';
  readonly classes?: number | readonly string[];
  readonly layout?: 'as_is' | 'hw' | 'hwc';
  readonly divide_by?: number;
  readonly limit?: number;
}

export interface SlowContext {
  readonly precision: 'float32' | 'float64';
  /** Whether the loss predicts values. */
  readonly predictsValues: boolean;
}

class Refused extends Error {}
const refuse = (why: string): never => {
  throw new Refused(why);
};

/** @returns undefined if the files contradict the options */
export function slowRead(
  options: SlowOptions,
  files: Readonly<Record<string, Uint8Array>>,
  context: SlowContext,
): SlowDataset | undefined {
  const open = (name: string | undefined): Uint8Array =>
    name !== undefined && Object.hasOwn(files, name) ? files[name] : refuse('no such file');
  try {
    switch (options.type) {
      case 'csv':
        return readTable(open(options.path), options, context);
      case 'npy': {
        const inputs = parseNpy(open(options.inputs as string));
        return fromArrays(inputs, parseNpy(open(options.labels ?? options.targets)), options, context);
      }
      case 'npz': {
        const archive = open(options.path);
        const array = (name: string | undefined): SlowArray => parseNpy(unzip(archive, name ?? ''));
        return fromArrays(array(options.inputs as string), array(options.labels ?? options.targets), options, context);
      }
      case 'safetensors': {
        const file = open(options.path);
        const tensor = (name: string | undefined): SlowArray => parseTensor(file, name ?? '');
        return fromArrays(
          tensor(options.inputs as string),
          tensor(options.labels ?? options.targets),
          options,
          context,
        );
      }
      case 'idx': {
        const images = parseIdx(gunzip(open(options.images)));
        if (images.shape.length === 1) return refuse('labels in place of images');
        const layout = images.shape.length === 3 ? 'hw' : 'as_is';
        const labels = parseIdx(gunzip(open(options.labels)));
        return fromArrays(images, labels, { divide_by: 255, ...options, layout }, context);
      }
      default:
        throw new Error(`no slow reader of ${options.type}`);
    }
  } catch (error) {
    // Bytes after the end of a file are undefined here, so any arithmetic with them throws.
    if (error instanceof Refused || error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

// Numbers from bytes.

/** @param bytes the lowest first */
const unsigned = (bytes: readonly number[]): bigint => bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);

const signed = (bytes: readonly number[]): bigint => BigInt.asIntN(8 * bytes.length, unsigned(bytes));

/** IEEE 754: a sign, an exponent and a fraction; the rest of the bits is the fraction. */
function float(bytes: readonly number[], exponentBits: number): number {
  const fractionBits = 8 * bytes.length - 1 - exponentBits;
  const bits = unsigned(bytes);
  const fraction = Number(bits & ((1n << BigInt(fractionBits)) - 1n));
  const exponent = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n));
  const sign = bits >> BigInt(8 * bytes.length - 1) ? -1 : 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  const significand = exponent === 0 ? fraction : fraction + 2 ** fractionBits;
  // In two steps: the smallest powers of two underflow a double.
  const power = Math.max(exponent, 1) - bias - fractionBits;
  return sign * significand * 2 ** Math.max(power, -1000) * 2 ** Math.min(power + 1000, 0);
}

interface SlowType {
  readonly bytes: number;
  readonly isFloat: boolean;
  decode(bytes: readonly number[]): number;
}

const exact = (value: bigint): number =>
  BigInt.asIntN(54, value) === value && Number.isSafeInteger(Number(value)) ? Number(value) : refuse('not exact');
const whole = (bytes: number, decode: (bytes: readonly number[]) => bigint): SlowType => ({
  bytes,
  isFloat: false,
  decode: (raw) => exact(decode(raw)),
});
const floating = (bytes: number, exponentBits: number): SlowType => ({
  bytes,
  isFloat: true,
  decode: (raw) => float(raw, exponentBits),
});

const types: Readonly<Record<string, SlowType>> = {
  b1: { bytes: 1, isFloat: false, decode: ([byte]) => (byte === 0 ? 0 : 1) },
  i1: whole(1, signed),
  i2: whole(2, signed),
  i4: whole(4, signed),
  i8: whole(8, signed),
  u1: whole(1, unsigned),
  u2: whole(2, unsigned),
  u4: whole(4, unsigned),
  u8: whole(8, unsigned),
  f2: floating(2, 5),
  brain: floating(2, 8),
  f4: floating(4, 8),
  f8: floating(8, 11),
};

// Arrays.

interface SlowArray {
  readonly shape: readonly number[];
  /** Row-major. Read on demand, since a number that is not exact may never be needed. */
  at(index: number): number;
  readonly isFloat: boolean;
}

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

interface Layout {
  readonly type: SlowType;
  readonly isBigEndian?: boolean;
  readonly isColumnMajor?: boolean;
  readonly shape: readonly number[];
}

function arrayOf(body: Uint8Array, { type, isBigEndian, isColumnMajor, shape }: Layout): SlowArray {
  if (shape.length === 0 || product(shape) === 0) return refuse('no samples');
  if (body.length !== product(shape) * type.bytes) return refuse('another length than its shape');
  const place = (index: number): number => {
    if (!isColumnMajor) return index;
    const coordinates: number[] = [];
    for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
      coordinates[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return coordinates.reduceRight((at, coordinate, axis) => at * shape[axis] + coordinate, 0);
  };
  return {
    shape,
    isFloat: type.isFloat,
    at(index) {
      const start = place(index) * type.bytes;
      const bytes = [...body.slice(start, start + type.bytes)];
      return type.decode(isBigEndian ? bytes.reverse() : bytes);
    },
  };
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function parseNpy(file: Uint8Array): SlowArray {
  if (latin1(file.slice(0, 6)) !== '\x93NUMPY' || file[6] < 1 || file[6] > 3) return refuse('no .npy');
  const sizeBytes = file[6] === 1 ? 2 : 4;
  const headerBytes = Number(unsigned([...file.slice(8, 8 + sizeBytes)]));
  const start = 8 + sizeBytes + headerBytes;
  if (headerBytes > 65536 || start > file.length) return refuse('no header');
  const header = latin1(file.slice(8 + sizeBytes, start));
  const [, order, name] = /'descr'\s*:\s*'([<>|=]?)(\w+)'/.exec(header) ?? [];
  const [, isColumnMajor] = /'fortran_order'\s*:\s*(True|False)/.exec(header) ?? [];
  const [, sizes] = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header) ?? [];
  if (name === undefined || name === 'brain' || isColumnMajor === undefined || sizes === undefined)
    return refuse('no type, order or shape');
  const type = Object.hasOwn(types, name) ? types[name] : refuse('another type');
  const shape = sizes
    .split(',')
    .map((size) => size.replace('L', '').trim())
    .filter((size) => size !== '');
  if (shape.length > 32 || shape.some((size) => !/^\d+$/.test(size))) return refuse('no shape');
  return arrayOf(file.slice(start), {
    type,
    isBigEndian: order === '>',
    isColumnMajor: isColumnMajor === 'True',
    shape: shape.map(Number),
  });
}

function parseIdx(file: Uint8Array): SlowArray {
  const codes: Readonly<Record<number, string>> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };
  const [first, second, code, axes] = file;
  if (first !== 0 || second !== 0 || !(code in codes) || axes > 32 || file.length < 4 + 4 * axes)
    return refuse('no IDX file');
  const shape = Array.from({ length: axes }, (_, i) =>
    Number(unsigned([...file.slice(4 + 4 * i, 8 + 4 * i)].reverse())),
  );
  return arrayOf(file.slice(4 + 4 * axes), { type: types[codes[code]], isBigEndian: true, shape });
}

function gunzip(file: Uint8Array): Uint8Array {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  return unpack(() => zlib.gunzipSync(file, { maxOutputLength: 2 ** 24 }));
}

function unpack(decompress: () => Uint8Array): Uint8Array {
  try {
    return Uint8Array.from(decompress());
  } catch {
    return refuse('damaged');
  }
}

function parseTensor(file: Uint8Array, name: string): SlowArray {
  const headerBytes = Number(unsigned([...file.slice(0, 8)]));
  if (file.length < 8 || 8 + headerBytes > file.length) return refuse('no header');
  const header = JSON.parse(utf8(file.slice(8, 8 + headerBytes))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  if (typeof header !== 'object' || name === '__metadata__' || !Object.hasOwn(header ?? {}, name))
    return refuse('no such tensor');
  const names: Readonly<Record<string, string>> = {
    BOOL: 'b1',
    I8: 'i1',
    I16: 'i2',
    I32: 'i4',
    I64: 'i8',
    U8: 'u1',
    U16: 'u2',
    U32: 'u4',
    U64: 'u8',
    F16: 'f2',
    BF16: 'brain',
    F32: 'f4',
    F64: 'f8',
  };
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const { dtype, shape, data_offsets: offsets } = header[name] ?? {};
  if (!Object.hasOwn(names, dtype) || !Array.isArray(shape) || !shape.every(isCount) || shape.length > 32)
    return refuse('no type or shape');
  if (!Array.isArray(offsets) || !isCount(offsets[0]) || !isCount(offsets[1]) || offsets[0] > offsets[1])
    return refuse('no place');
  const [begin, end] = offsets.map((offset) => 8 + headerBytes + offset);
  if (end > file.length) return refuse('beyond the end');
  for (const [key, other] of Object.entries(header)) {
    if (key === name || key === '__metadata__') continue;
    const places: unknown = other?.data_offsets;
    if (!Array.isArray(places) || !isCount(places[0]) || !isCount(places[1])) continue;
    const [from, to] = places as number[];
    // Two ranges that are not empty overlap if each starts ahead of the end of the other.
    if (from < to && offsets[0] < offsets[1] && from < offsets[1] && offsets[0] < to) return refuse('overlapping');
  }
  return arrayOf(file.slice(begin, end), { type: types[names[dtype]], shape });
}

/** CRC-32 of zip files, bit by bit. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** An entry of a zip file, found in the directory at its end. */
function unzip(file: Uint8Array, wanted: string): Uint8Array {
  const number = (at: number, bytes: number): number =>
    at >= 0 && at + bytes <= file.length ? Number(unsigned([...file.slice(at, at + bytes)])) : refuse('beyond the end');
  let end = file.length - 22;
  while (end >= Math.max(0, file.length - 22 - 65535) && number(end, 4) !== 0x06054b50) end--;
  if (end < Math.max(0, file.length - 22 - 65535)) return refuse('no directory');
  const start = number(end + 16, 4);
  if (start + number(end + 12, 4) > end) return refuse('a directory that cannot be');
  const limit = start + number(end + 12, 4);
  let found: number | undefined;
  for (let count = number(end + 10, 2), at = start; count > 0; count--) {
    if (at + 46 > limit || number(at, 4) !== 0x02014b50) return refuse('no entry');
    const nameBytes = number(at + 28, 2);
    const next = at + 46 + nameBytes + number(at + 30, 2) + number(at + 32, 2);
    if (next > limit) return refuse('no entry');
    // The last entry of a name counts, as in Python.
    if (latin1(file.slice(at + 46, at + 46 + nameBytes)).replace(/\.npy$/, '') === wanted) found = at;
    at = next;
  }
  if (found === undefined) return refuse('no such array');
  const [flags, method] = [number(found + 8, 2), number(found + 10, 2)];
  const [crc, packedBytes, bytes, local] = [16, 20, 24, 42].map((offset) => number((found ?? 0) + offset, 4));
  if (flags % 2 === 1 || (method !== 0 && method !== 8)) return refuse('encrypted or packed otherwise');
  if (number(local, 4) !== 0x04034b50) return refuse('no local header');
  const body = local + 30 + number(local + 26, 2) + number(local + 28, 2);
  if (body + packedBytes > file.length) return refuse('beyond the end');
  const packed = file.slice(body, body + packedBytes);
  const unpacked = method === 0 ? packed : unpack(() => zlib.inflateRawSync(packed, { maxOutputLength: 2 ** 24 }));
  return unpacked.length === bytes && checksum(unpacked) === crc ? unpacked : refuse('damaged');
}

function fromArrays(
  inputs: SlowArray,
  targets: SlowArray,
  options: SlowOptions,
  { precision }: SlowContext,
): SlowDataset {
  const { layout = 'as_is', divide_by: divideBy = 1, missing = 'error', limit = Infinity } = options;
  const [all] = inputs.shape;
  if (targets.shape[0] !== all) return refuse('another number of samples');
  if (inputs.shape.length !== { as_is: inputs.shape.length, hw: 3, hwc: 4 }[layout]) return refuse('another layout');
  const targetSize = product(targets.shape.slice(1));
  const isLabels = options.labels !== undefined;
  if (isLabels && (targetSize !== 1 || targets.isFloat)) return refuse('no labels');
  const [height, width, channels = 1] = inputs.shape.slice(1);
  const rowShape = inputs.shape.length === 1 ? [1] : inputs.shape.slice(1);
  const inputSize = product(rowShape);
  const fit = (value: number): number => {
    const kept = precision === 'float32' ? Math.fround(value) : value;
    return Number.isFinite(kept) ? kept : refuse('too large');
  };
  const isMissing = (array: SlowArray, size: number, row: number): boolean =>
    array.isFloat && Array.from({ length: size }, (_, i) => array.at(row * size + i)).some(Number.isNaN);
  const out: { inputs: number[]; targets: number[] } = { inputs: [], targets: [] };
  let samples = 0;
  for (let row = 0; row < all && samples < limit; row++) {
    if (missing === 'drop' && (isMissing(inputs, inputSize, row) || isMissing(targets, targetSize, row))) continue;
    samples++;
    const values = Array.from({ length: inputSize }, (_, i) => {
      const value = inputs.at(row * inputSize + i);
      return Number.isNaN(value) && missing === 'mean' ? NaN : fit(value / divideBy);
    });
    for (let i = 0; i < inputSize; i++) {
      const [channel, pixel] = [Math.floor(i / (height * width)), i % (height * width)];
      out.inputs.push(layout === 'hwc' ? values[pixel * channels + channel] : values[i]);
    }
    for (let i = 0; i < targetSize; i++) {
      const value = targets.at(row * targetSize + i);
      if (isLabels) out.targets.push(value);
      else {
        fit(value);
        out.targets.push(value);
      }
    }
  }
  if (samples === 0) return refuse('no samples');
  const inputShape = { as_is: rowShape, hw: [1, height, width], hwc: [channels, height, width] }[layout];
  if (!isLabels) return { inputShape, ...out };
  return { inputShape, inputs: out.inputs, ...encode(out.targets, options.classes) };
}

type Label = string | number | bigint;

/** Classes in order, and the index of each label. */
function encode(
  labels: readonly Label[],
  classes: SlowOptions['classes'],
): { readonly classes: readonly string[]; readonly targets: readonly number[] } {
  if (typeof classes === 'number') {
    const targets = labels.map((label) => (typeof label === 'string' && !/^\d+$/.test(label) ? NaN : Number(label)));
    if (targets.some((target) => !Number.isInteger(target) || target < 0 || target >= classes))
      return refuse('a label out of range');
    return { classes: Array.from({ length: classes }, (_, i) => String(i)), targets };
  }
  const before = (a: Label, b: Label): boolean =>
    typeof a === 'string' || typeof b === 'string' ? String(a) < String(b) : a < b;
  const names: string[] = [];
  const distinct: Label[] = [];
  for (const label of labels) if (!distinct.some((other) => String(other) === String(label))) distinct.push(label);
  distinct.sort((a, b) => (before(a, b) ? -1 : 1));
  names.push(...(classes ?? distinct.map(String)));
  if (names.length < 2) return refuse('one class');
  const areIndices = labels.every(
    (label) => (typeof label !== 'string' || !/\D|^$/.test(label)) && !names.includes(String(label)),
  );
  const targets = labels.map((label) =>
    areIndices ? names.findIndex((_, i) => i === Number(label)) : names.indexOf(String(label)),
  );
  if (targets.includes(-1)) return refuse('a label out of range');
  return { classes: names, targets };
}

// Tables.

const utf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('no UTF-8');
  }
};

const isLineEnd = (character: string | undefined): boolean => character === '\n' || character === '\r';

/** The rows of a text, one character at a time. */
function readCells(source: string, options: SlowOptions): string[][] {
  const text = source.replace(/^\ufeff/, '');
  let { delimiter } = options;
  let at = 0;
  const skipLine = (): void => {
    while (at < text.length && !isLineEnd(text[at])) at++;
    at += text.startsWith('\r\n', at) ? 2 : 1;
  };
  const isComment = (): boolean => options.comment !== undefined && text.startsWith(options.comment, at);
  const isBlankLine = (): boolean => /^ *[\r\n]/.test(text.slice(at));
  while (at < text.length && (isComment() || isBlankLine())) skipLine();
  const [line, separator] = /^sep=([^\w"\r\n])(?=[\r\n]|$)/i.exec(text.slice(at)) ?? [];
  if (line !== undefined) {
    delimiter ??= separator;
    skipLine();
    while (at < text.length && (isComment() || isBlankLine())) skipLine();
  }
  delimiter ??= mostFrequent(text.slice(at));
  const rows: string[][] = [];
  while (at < text.length) {
    if (isComment()) {
      skipLine();
      continue;
    }
    const row: string[] = [];
    if (delimiter === ' ') {
      const start = at;
      skipLine();
      row.push(...spacedCells(text.slice(start, at)));
    } else {
      for (;;) {
        let cell = '';
        if (text[at] === '"') {
          at++;
          for (; text[at] !== '"' || text[at + 1] === '"'; at++) {
            if (at >= text.length) return refuse('a quote that never ends');
            cell += text[at];
            if (text[at] === '"') at++;
          }
          at++;
          if (at < text.length && text[at] !== delimiter && !isLineEnd(text[at])) return refuse('text behind a quote');
        } else {
          while (at < text.length && text[at] !== delimiter && !isLineEnd(text[at])) cell += text[at++];
        }
        row.push(cell);
        if (text[at] !== delimiter) break;
        at++;
      }
      at += text.startsWith('\r\n', at) ? 2 : 1;
    }
    if (row.length > 1 || row[0].trim() !== '') rows.push(row);
  }
  return rows;
}

/** The delimiter that occurs most often in the first line, outside quotes. */
function mostFrequent(text: string): string {
  let line = '';
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && isLineEnd(character)) break;
    else if (!isQuoted) line += character;
  }
  // A comma between digits is a decimal comma if there is another delimiter.
  if (/[;\t|]/.test(line)) {
    const isDigit = (character: string | undefined): boolean => character !== undefined && /\d/.test(character);
    line = [...line].filter((c, i, all) => !(c === ',' && isDigit(all[i - 1]) && isDigit(all[i + 1]))).join('');
  }
  let best = ',';
  for (const delimiter of [';', '\t', '|'])
    if (line.split(delimiter).length > line.split(best).length) best = delimiter;
  return best;
}

function spacedCells(line: string): string[] {
  const cells: string[] = [];
  const text = line.trim();
  if (!text.includes('"')) return text.split(/[ \t]+/);
  let at = 0;
  while (at < text.length) {
    if (text[at] === ' ' || text[at] === '\t') at++;
    else if (text[at] === '"') {
      const [quoted] = /^"(?:[^"]|"")*"/.exec(text.slice(at)) ?? [refuse('a quote that never ends')];
      cells.push(quoted.slice(1, -1).replaceAll('""', '"'));
      at += quoted.length;
    } else {
      const [plain] = /^[^ \t]+/.exec(text.slice(at)) ?? [''];
      cells.push(plain);
      at += plain.length;
    }
  }
  return cells;
}

const MISSING = [
  ...['', 'NA', 'na', 'N/A', 'n/a', '#N/A', '#NA', '<NA>', 'NaN', 'nan', 'NAN', '-NaN', '-nan', 'NULL', 'Null', 'null'],
  ...['#N/A N/A', 'n.a.', 'N.A.', '1.#IND', '1.#QNAN', '-1.#IND', '-1.#QNAN', '\\N'],
  ...['None', '?', '-', '--', '---', '–', '—', '.', '..'],
  ...['NaT', 'pd.NA', '(null)', '<null>', '<NULL>', 'k.A.', 'k. A.'],
  ...['#NV', '#N/D', '#N/B', '#I/T', '#SAKNAS!', '#PUUTTUU!', '#N/D!', '#Н/Д'],
];

function toNumber(text: string, { decimal = '.', thousands }: SlowOptions): number {
  const [, sign, digits, , exponent = ''] = /^([+-]?)([^eE]*)([eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (digits === undefined) return NaN;
  if (exponent === '' && /[eE]/.test(text)) return NaN;
  const parts = digits.split(decimal);
  if (parts.length > 2) return NaN;
  let [integer] = parts;
  const [, fraction = ''] = parts;
  if (thousands !== undefined) {
    const separators = { ' ': ' \u00a0\u2009\u202f', "'": "'’" }[thousands] ?? thousands;
    const groups = integer.split(new RegExp(`[${separators}]`));
    if (groups.length > 1) {
      const areThousands =
        groups[0].length >= 1 && groups[0].length <= 3 && groups.slice(1).every((g) => g.length === 3);
      if (!areThousands || exponent !== '') return NaN;
      integer = groups.join('');
    }
  }
  if (!/^\d*$/.test(integer) || !/^\d*$/.test(fraction) || integer + fraction === '') return NaN;
  return Number(
    `${sign}${integer === '' ? '0' : integer}.${fraction === '' ? '0' : fraction}e${exponent === '' ? '0' : exponent}`,
  );
}

/** Control characters, and marks that hide or reorder text. */
const escape = (name: string): string =>
  [...name]
    .map((character) =>
      /[\p{Cc}\p{Surrogate}\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060\u2066-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/u.test(
        character,
      )
        ? `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
        : character,
    )
    .join('');

function readTable(file: Uint8Array, options: SlowOptions, { precision, predictsValues }: SlowContext): SlowDataset {
  const { header = true, missing = 'error', task = 'auto', classes, limit = Infinity } = options;
  if ((options.decimal ?? '.') === options.thousands) return refuse('one mark for two purposes');
  const table = readCells(utf8(file), options);
  const [first, ...below] = table;
  if (first === undefined || (header && below.length === 0)) return refuse('no rows');
  const rows = header ? below : table;
  const shown = rows.slice(0, header ? 99 : 100);
  const isBlank = (cell: string | undefined): boolean => cell?.trim() === '';
  const endsBlank = (row: readonly string[], cells: number): boolean => row.length === cells && isBlank(row[cells - 1]);
  const isLonger = header && shown.every((row) => endsBlank(row, first.length + 1));
  const firstEndsBlank = first.length > 1 && isBlank(first[first.length - 1]);
  const isEqual = firstEndsBlank && (header || shown.length > 1) && shown.every((row) => endsBlank(row, first.length));
  const isNames = header && firstEndsBlank && shown.every((row) => row.length === first.length - 1);
  const count = isEqual || isNames ? first.length - 1 : first.length;
  const hasTrailing = isLonger || isEqual || isNames;
  const names = first
    .slice(0, count)
    .map((cell, i) => (header && cell.trim() !== '' ? cell.trim() : `column ${i + 1}`));
  const indexOf = (wanted: string | number): number => {
    if (typeof wanted === 'number') return wanted <= names.length ? wanted - 1 : refuse('no such column');
    const found = names.flatMap((name, i) => (name === wanted ? [i] : []));
    return found.length === 1 ? found[0] : refuse('no such column, or two of them');
  };
  const target = options.target === undefined ? names.length - 1 : indexOf(options.target);
  const inputs = Array.isArray(options.inputs)
    ? (options.inputs as readonly (string | number)[]).map(indexOf)
    : names.map((_, i) => i).filter((i) => i !== target);
  if (inputs.length === 0 || inputs.includes(target)) return refuse('no inputs, or the target among them');
  const classNames: readonly string[] = Array.isArray(classes) ? classes : [];
  const isMissing = (text: string): boolean =>
    MISSING.includes(text) ||
    (options.missing_values ?? []).some((mark) => {
      const number = typeof mark === 'string' ? toNumber(mark, options) : mark;
      return text === mark || toNumber(text, options) === number;
    });
  const isMissingTarget = (text: string): boolean => isMissing(text) && !classNames.includes(text);
  const values: number[] = [];
  const cells: string[] = [];
  for (const row of rows) {
    if (cells.length >= limit) break;
    const isTrailing = hasTrailing && row.length === count + 1 && isBlank(row[count]);
    if (row.length !== count && !isTrailing) return refuse('another number of cells');
    const texts = row.map((cell) => cell.trim());
    if (missing === 'drop' && (isMissingTarget(texts[target]) || inputs.some((i) => isMissing(texts[i])))) continue;
    for (const i of inputs) {
      const number = toNumber(texts[i], options);
      const kept = precision === 'float32' ? Math.fround(number) : number;
      if (Number.isFinite(kept) && !isMissing(texts[i])) values.push(kept);
      else if (missing === 'mean' && isMissing(texts[i])) values.push(NaN);
      else return refuse('no number');
    }
    if (isMissingTarget(texts[target])) return refuse('no target');
    cells.push(texts[target]);
  }
  if (cells.length === 0) return refuse('no samples');
  const numbers = cells.map((cell) => toNumber(cell, options));
  const isText = (cell: string, i: number): boolean =>
    Number.isNaN(numbers[i]) && !/^[+-]?(nan|inf|infinity)$/i.test(cell);
  const texts = cells.filter(isText);
  if (task === 'auto' && classes === undefined && predictsValues && texts.length > 0 && texts.length < cells.length)
    return refuse('a value that is no number');
  const isClassification =
    task !== 'auto'
      ? task === 'classes'
      : classes !== undefined ||
        texts.length > 0 ||
        (!predictsValues && numbers.every(Number.isInteger) && new Set(numbers).size <= 20);
  const inputShape = [inputs.length];
  if (!isClassification) {
    const fits = numbers.every((value) => Number.isFinite(precision === 'float32' ? Math.fround(value) : value));
    return fits ? { inputShape, inputs: values, targets: numbers } : refuse('no value');
  }
  // Of one length and at least one of them padded with zeros.
  const areCodes =
    cells.every((cell) => /^\d\d+$/.test(cell) && cell.length === cells[0].length) &&
    cells.some((cell) => cell[0] === '0');
  const areNumbers = numbers.every(Number.isFinite) && !Array.isArray(classes) && !areCodes;
  const labels = cells.map((cell, i): Label => {
    if (!areNumbers) return cell;
    if (Number.isSafeInteger(numbers[i]) || !/^[+-]?\d+(\.0*)?$/.test(cell)) return numbers[i];
    return BigInt(cell.replace('+', '').replace(/\..*/, ''));
  });
  const encoded = encode(labels, classes);
  return { inputShape, inputs: values, targets: encoded.targets, classes: encoded.classes.map(escape) };
}
