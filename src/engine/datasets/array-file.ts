// A file that holds one array of numbers, whatever its format: what its header says, and reading its rows.
import { counted } from '../counted';
import { sizeOf, type TensorData } from '../kernels/tensor';
import type { InPieces } from '../pieces';
import { DataError, type OptionPath } from './dataset';
import { type DataFile, PIECE, readingWords } from './files';

export const ELEMENTS = ['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64'] as const;
export type Element = (typeof ELEMENTS)[number];

export const elementBytes = (element: Element): number => (element === 'bool' ? 1 : Number(/\d+$/.exec(element)?.[0]) / 8);

/** A file with what its header says of it. */
export interface ArrayFile {
  readonly file: DataFile;
  /** What names it in the spec. */
  readonly at: OptionPath;
  readonly element: Element;
  readonly littleEndian: boolean;
  /** Column-major: the first index runs fastest. */
  readonly fortran: boolean;
  /** Samples first. */
  readonly shape: readonly number[];
  /** Byte at which the numbers start. */
  readonly offset: number;
}

/** A file is not what it should be. */
export function broken({ name }: DataFile, at: OptionPath, what: string, remedy = 'Make the file again, or name another one.'): DataError {
  return new DataError(`${name}: ${what}.`, remedy, at);
}

/** @throws DataError where header and length of the file do not belong together, or there is nothing in it */
export function checkArray(array: ArrayFile): ArrayFile {
  const { file, at, shape, element, offset } = array;
  if (shape.length === 0) throw broken(file, at, 'it holds a single number, not an array of samples');
  if (sizeOf(shape) === 0) throw broken(file, at, `its shape is ${shape.join('×')}, so it holds no samples`);
  const expected = offset + sizeOf(shape) * elementBytes(element);
  if (!Number.isSafeInteger(expected) || file.size < expected) {
    throw broken(file, at, `it ends at byte ${file.size}, but ${shape.join('×')} numbers of type ${element} reach to byte ${expected}`);
  }
  if (file.size > expected) {
    throw broken(file, at, `${counted(file.size - expected, 'byte')} ${file.size - expected === 1 ? 'follows' : 'follow'} after byte ${expected}, where the last of its ${shape.join('×')} numbers ends`);
  }
  return array;
}

type Reader = (view: DataView, offset: number) => number;

const readers: Readonly<Record<Element, (little: boolean) => Reader>> = {
  bool: () => (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  int8: () => (view, at) => view.getInt8(at),
  int16: (little) => (view, at) => view.getInt16(at, little),
  int32: (little) => (view, at) => view.getInt32(at, little),
  int64: (little) => (view, at) => Number(view.getBigInt64(at, little)),
  uint8: () => (view, at) => view.getUint8(at),
  uint16: (little) => (view, at) => view.getUint16(at, little),
  uint32: (little) => (view, at) => view.getUint32(at, little),
  uint64: (little) => (view, at) => Number(view.getBigUint64(at, little)),
  float32: (little) => (view, at) => view.getFloat32(at, little),
  float64: (little) => (view, at) => view.getFloat64(at, little),
};

export interface RowsWanted {
  /** Rows to take, rising; all of them unless given. */
  readonly rows?: Uint32Array;
  /** Row-major; has room for what is wanted. */
  readonly into: TensorData;
  readonly divideBy?: number;
}

/**
 * Reads rows in their order, row-major whatever the order in the file.
 * @throws DataError for a number that is not finite, or too large to be held exactly
 */
export function* readRows(array: ArrayFile, { rows, into, divideBy = 1 }: RowsWanted): InPieces<void> {
  const { element, littleEndian, file, fortran, shape } = array;
  const size = elementBytes(element);
  const read = readers[element](littleEndian);
  const width = sizeOf(shape.slice(1));
  const check = element.includes('64') || element.startsWith('float');
  const put = (view: DataView, at: number, row: number, column: number, to: number): void => {
    const value = read(view, at);
    if (check && (!Number.isFinite(value) || (element.includes('int') && !Number.isSafeInteger(value)))) {
      throw wrongNumber(array, row, column, value);
    }
    into[to] = value / divideBy;
  };
  if (!fortran || width === 1 || shape[0] === 1) {
    for (const [from, count, place] of runs(shape[0], rows)) {
      const total = count * width;
      for (let done = 0; done < total; ) {
        const elements = Math.min(total - done, Math.floor(PIECE / size));
        const view = viewOf(file.read(array.offset + (from * width + done) * size, elements * size));
        for (let i = 0; i < elements; i++) {
          const k = done + i;
          put(view, i * size, from + Math.floor(k / width), k % width, place * width + k);
        }
        done += elements;
        // Rows far apart are read one at a time; that is no reason to stop after each.
        if (elements * size > PIECE / 16 || place % 4096 === 0) yield readingWords(file);
      }
    }
    return;
  }
  const columns = rowMajor(shape.slice(1));
  const placeOf = places(shape[0], rows);
  const total = sizeOf(shape);
  for (let done = 0; done < total; ) {
    const elements = Math.min(total - done, Math.floor(PIECE / size));
    const view = viewOf(file.read(array.offset + done * size, elements * size));
    for (let i = 0; i < elements; i++) {
      const row = (done + i) % shape[0];
      const place = placeOf ? placeOf[row] : row;
      if (place < 0) continue;
      const column = columns[Math.floor((done + i) / shape[0])];
      put(view, i * size, row, column, place * width + column);
    }
    done += elements;
    yield readingWords(file);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

function wrongNumber({ file, at, shape }: ArrayFile, row: number, column: number, value: number): DataError {
  const index: number[] = [];
  let rest = column;
  for (const size of shape.slice(1).reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const where = `the number at [${[row, ...index].join(', ')}]`;
  return Number.isFinite(value)
    ? broken(file, at, `${where} is ${value}, too large to be held exactly`, 'Save the array as float64.')
    : broken(file, at, `${where} is ${value}`, 'Replace it by a finite number, or leave the sample out.');
}

/** Stretches of rows that follow each other: the first row, how many, and the place of the first among those wanted. */
function* runs(all: number, rows?: Uint32Array): Generator<readonly [number, number, number]> {
  if (!rows) {
    yield [0, all, 0];
    return;
  }
  for (let i = 0; i < rows.length; ) {
    let end = i + 1;
    while (end < rows.length && rows[end] === rows[end - 1] + 1) end++;
    yield [rows[i], end - i, i];
    i = end;
  }
}

function places(all: number, rows?: Uint32Array): Int32Array | undefined {
  if (!rows) return undefined;
  const found = new Int32Array(all).fill(-1);
  rows.forEach((row, place) => (found[row] = place));
  return found;
}

/** Row-major position of each element of a row, in column-major order. */
function rowMajor(shape: readonly number[]): Uint32Array {
  const positions = new Uint32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let k = 0; k < positions.length; k++) {
    positions[k] = index.reduce((at, i, axis) => at * shape[axis] + i, 0);
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return positions;
}
