// A file that holds one array of numbers, in any format: its header, and reading its rows.
import { pluralize } from '../format-count';
import { numel, type Precision, type TensorData } from '../kernels/tensor';
import type { CooperativeTask } from '../cooperative-task';
import { DataError, type OptionPath } from './data-error';
import { identifyFile, SIGNATURE_BYTES } from './file-kind';
import { type DataFile, readingProgress } from './data-file';
import { missingRemedy } from './missing-values';
import type { RoundingLoss } from './rounding-loss';

export const DTYPES = [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
] as const;
export type Dtype = (typeof DTYPES)[number];

export const dtypeBytes = (element: Dtype): number => (element === 'bool' ? 1 : Number(/\d+$/.exec(element)?.[0]) / 8);

/** A file and the contents of its header. */
export interface ArrayFile {
  readonly file: DataFile;
  /** The option of the spec that names it. */
  readonly at: OptionPath;
  readonly dtype: Dtype;
  readonly littleEndian: boolean;
  /** Column-major: the first index varies fastest. */
  readonly fortranOrder: boolean;
  /** Shape of the array, samples first. */
  readonly shape: readonly number[];
  /** Byte offset of the first number. */
  readonly offset: number;
}

/** The error for a file with wrong contents. */
export function fileError(
  { name }: DataFile,
  at: OptionPath,
  what: string,
  remedy = 'Create the file again, or use another one.',
  code = 'damaged-file',
): DataError {
  return new DataError(`${name}: ${what}.`, remedy, at, code);
}

/** The error for a file of another kind, which it names if known. */
export function wrongKindError(file: DataFile, at: OptionPath, what: string, remedy: string): DataError {
  const kind = identifyFile(file.read(0, Math.min(file.size, SIGNATURE_BYTES)));
  return kind
    ? fileError(file, at, `${what}; it is ${kind.name}`, kind.remedy, 'wrong-file-kind')
    : fileError(file, at, what, remedy, 'wrong-file-kind');
}

/** @throws DataError if the header does not match the length of the file, or the array is empty */
export function validateArrayFile(array: ArrayFile): ArrayFile {
  const { file, at, shape, dtype, offset } = array;
  if (shape.length === 0) throw fileError(file, at, 'it contains a single number, not an array of samples');
  if (numel(shape) === 0) throw fileError(file, at, `its shape is ${shape.join('×')}, so it contains no samples`);
  const expected = offset + numel(shape) * dtypeBytes(dtype);
  if (!Number.isSafeInteger(expected) || file.size < expected) {
    throw fileError(
      file,
      at,
      `it ends at byte ${file.size}, but ${shape.join('×')} numbers of type ${dtype} would end at byte ${expected}`,
    );
  }
  if (file.size > expected) {
    throw fileError(
      file,
      at,
      `${pluralize(file.size - expected, 'byte')} ${file.size - expected === 1 ? 'follows' : 'follow'} after byte ${expected}, where the last of its ${shape.join('×')} numbers ends`,
    );
  }
  return array;
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const conversion = new DataView(new ArrayBuffer(4));
function bfloat16ToNumber(bits: number): number {
  conversion.setUint32(0, bits * 65536);
  return conversion.getFloat32(0);
}

type Reader = (view: DataView, offset: number) => number;

const readersByDtype: Readonly<Record<Dtype, (little: boolean) => Reader>> = {
  bool: () => (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  int8: () => (view, at) => view.getInt8(at),
  int16: (little) => (view, at) => view.getInt16(at, little),
  int32: (little) => (view, at) => view.getInt32(at, little),
  int64: (little) => (view, at) => Number(view.getBigInt64(at, little)),
  uint8: () => (view, at) => view.getUint8(at),
  uint16: (little) => (view, at) => view.getUint16(at, little),
  uint32: (little) => (view, at) => view.getUint32(at, little),
  uint64: (little) => (view, at) => Number(view.getBigUint64(at, little)),
  float16: (little) => (view, at) => halfToNumber(view.getUint16(at, little)),
  // The upper half of a float32.
  bfloat16: (little) => (view, at) => bfloat16ToNumber(view.getUint16(at, little)),
  float32: (little) => (view, at) => view.getFloat32(at, little),
  float64: (little) => (view, at) => view.getFloat64(at, little),
};

export interface ReadRowsOptions {
  /** Rows to read, in ascending order; by default, all. */
  readonly rows?: Uint32Array | undefined;
  /** Row-major, with room for all rows that are read. */
  readonly into: TensorData;
  readonly divideBy?: number;
  /** The precision of the network, which the numbers must fit. */
  readonly precision?: Precision;
  /** Whether NaN stands for a missing value. By default, NaN is an error. */
  readonly allowMissing?: boolean;
  /** Receives each number that is not missing, by its column. */
  readonly rounding?: RoundingLoss | undefined;
}

/** Receives a number, its row and column in the file, and its row-major index among the numbers that are read. */
type Visit = (value: number, row: number, column: number, index: number) => void;

const isFloat = ({ dtype }: ArrayFile): boolean => dtype.includes('float');

/**
 * Reads rows in ascending order. The result is row-major regardless of the order in the file.
 * @throws DataError for a number that is not finite, or too large to be represented exactly
 */
export function* readRows(
  array: ArrayFile,
  { rows, into, divideBy = 1, precision = 'float64', allowMissing = false, rounding }: ReadRowsOptions,
): CooperativeTask<void> {
  const { dtype } = array;
  const isWholeNumber = !isFloat(array);
  // Every number of these types fits, unless it is divided by a small one.
  if (isWholeNumber && !dtype.includes('64') && divideBy >= 1) {
    yield* visitRows(array, rows, (value, _row, column, index) => {
      into[index] = value / divideBy;
      rounding?.add(column, value / divideBy);
    });
    return;
  }
  yield* visitRows(array, rows, (value, row, column, index) => {
    const isMissing = allowMissing && Number.isNaN(value);
    if (!isMissing && (!Number.isFinite(value) || (isWholeNumber && !Number.isSafeInteger(value)))) {
      throw invalidNumberError(array, row, column, value);
    }
    into[index] = value / divideBy;
    if (!isMissing && !Number.isFinite(precision === 'float32' ? Math.fround(into[index]) : into[index]))
      throw precisionError(array, row, column, value, { divideBy, precision });
    if (!isMissing) rounding?.add(column, value / divideBy);
  });
}

/** The rows without NaN in any of the arrays, in ascending order. All arrays have the same number of rows. */
export function* findCompleteRows(arrays: readonly ArrayFile[]): CooperativeTask<Uint32Array> {
  const isIncomplete = new Uint8Array(arrays[0]!.shape[0]!);
  for (const array of arrays.filter(isFloat)) {
    yield* visitRows(array, undefined, (value, row) => {
      if (Number.isNaN(value)) isIncomplete[row] = 1;
    });
  }
  const complete = new Uint32Array(isIncomplete.length - isIncomplete.reduce((sum, flag) => sum + flag, 0));
  let count = 0;
  isIncomplete.forEach((flag, row) => {
    if (flag === 0) complete[count++] = row;
  });
  return complete;
}

/** Visits every number of the rows, in the order of the file. */
export function* visitRows(array: ArrayFile, rows: Uint32Array | undefined, visit: Visit): CooperativeTask<void> {
  const { dtype, littleEndian, file, fortranOrder, shape } = array;
  const size = dtypeBytes(dtype);
  const read = readersByDtype[dtype](littleEndian);
  const width = numel(shape.slice(1));
  const elementsPerChunk = Math.max(1, Math.floor(file.chunkBytes / size));
  if (!fortranOrder || width === 1 || shape[0] === 1) {
    for (const [from, count, place] of contiguousRuns(shape[0]!, rows)) {
      const total = count * width;
      for (let done = 0; done < total;) {
        const elements = Math.min(total - done, elementsPerChunk);
        const view = dataView(file.read(array.offset + (from * width + done) * size, elements * size));
        for (let i = 0; i < elements; i++) {
          const k = done + i;
          visit(read(view, i * size), from + Math.floor(k / width), k % width, place * width + k);
        }
        done += elements;
        // Rows far apart are read one at a time, but yielding after each would be slow.
        if (elements > elementsPerChunk / 16 || place % 4096 === 0) yield readingProgress(file);
      }
    }
    return;
  }
  const columns = rowMajorPositions(shape.slice(1));
  const outputRowOf = outputRows(shape[0]!, rows);
  const total = numel(shape);
  for (let done = 0; done < total;) {
    const elements = Math.min(total - done, elementsPerChunk);
    const view = dataView(file.read(array.offset + done * size, elements * size));
    for (let i = 0; i < elements; i++) {
      const row = (done + i) % shape[0]!;
      const place = outputRowOf ? outputRowOf[row]! : row;
      if (place < 0) continue;
      const column = columns[Math.floor((done + i) / shape[0]!)]!;
      visit(read(view, i * size), row, column, place * width + column);
    }
    done += elements;
    yield readingProgress(file);
  }
}

const dataView = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** `the number at [3, 0, 2]`, as Python indexes it. */
function locateNumber({ shape }: ArrayFile, row: number, column: number): string {
  const index: number[] = [];
  let rest = column;
  for (const size of shape.slice(1).reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `the number at [${[row, ...index].join(', ')}]`;
}

function invalidNumberError(array: ArrayFile, row: number, column: number, value: number): DataError {
  const { file, at } = array;
  const where = locateNumber(array, row, column);
  if (!Number.isFinite(value)) {
    return fileError(
      file,
      at,
      `${where} is ${value}`,
      Number.isNaN(value)
        ? missingRemedy(at[0] === 'targets')
        : 'Replace it with a finite number, or remove the sample.',
      Number.isNaN(value) ? 'missing-value' : 'infinite',
    );
  }
  return fileError(
    file,
    at,
    `${where} is ${value}, too large to be represented exactly`,
    at[0] === 'labels'
      ? 'Number the classes in Python: np.unique(y, return_inverse=True)[1].'
      : 'Save the array as float64: x.astype("float64").',
    'not-exact',
  );
}

/** The error for a number that, after the division that the dataset asks for, does not fit the precision. */
function precisionError(
  array: ArrayFile,
  row: number,
  column: number,
  value: number,
  { divideBy = 1, precision = 'float64' }: Pick<ReadRowsOptions, 'divideBy' | 'precision'>,
): DataError {
  const divided = divideBy === 1 ? '' : ` divided by ${divideBy}`;
  const limit = precision === 'float32' ? '3.4e38' : '1.8e308';
  return fileError(
    array.file,
    array.at,
    `${locateNumber(array, row, column)} is ${value}${divided}, too large for ${precision}, whose largest number is ${limit}`,
    precision === 'float32' ? 'Write "precision": "float64", or scale the array.' : 'Choose a larger "divide_by".',
    'beyond-precision',
  );
}

/** Runs of consecutive rows: the first row, their number, and the index of the first among the selected rows. */
function* contiguousRuns(all: number, rows?: Uint32Array): Generator<readonly [number, number, number]> {
  if (!rows) {
    yield [0, all, 0];
    return;
  }
  for (let i = 0; i < rows.length;) {
    let end = i + 1;
    while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
    yield [rows[i]!, end - i, i];
    i = end;
  }
}

function outputRows(all: number, rows?: Uint32Array): Int32Array | undefined {
  if (!rows) return undefined;
  const found = new Int32Array(all).fill(-1);
  rows.forEach((row, place) => (found[row] = place));
  return found;
}

/** Row-major position of each element of a row, in column-major order. */
function rowMajorPositions(shape: readonly number[]): Uint32Array {
  const positions = new Uint32Array(numel(shape));
  const index = shape.map(() => 0);
  for (let k = 0; k < positions.length; k++) {
    positions[k] = index.reduce((at, i, axis) => at * shape[axis]! + i, 0);
    for (let axis = 0; axis < shape.length && ++index[axis]! === shape[axis]; axis++) index[axis] = 0;
  }
  return positions;
}
