// The files that a spec names, as a dataset sees them. The engine touches no file system: who loads a spec gives
// the way to open them, and decides which may be read.
import type { OptionPath } from './dataset';

/** A file, or a part of one, that can be read anywhere. */
export interface DataFile {
  /** As the spec names it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes handed out so far. */
  readonly done: number;
  /** Exactly `length` bytes, good until the next call. Throws DataError, and RangeError beyond the end. */
  read(offset: number, length: number): Uint8Array;
  /** The whole as UTF-8 text, in pieces of any size. Throws DataError with the byte that is no text. */
  text(): Iterable<string>;
}

export type Packing = 'gzip' | 'deflate';

export interface DataFiles {
  /**
   * Throws a DataError that says why a file cannot be had.
   * @param at what names it, below `data` in the spec
   */
  open(path: string, at: OptionPath): DataFile;
  /** Unpacks; `damaged` where that cannot be, `large` where it is more than `most` bytes. */
  unpack(bytes: Uint8Array, packing: Packing, most: number): Uint8Array | 'damaged' | 'large';
}

/** A file that lies in memory, such as what was unpacked. */
export function inMemory(name: string, bytes: Uint8Array): DataFile {
  return {
    name,
    size: bytes.length,
    done: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) throw new RangeError(`${name} ends before that`);
      return bytes.subarray(offset, offset + length);
    },
    text: () => {
      throw new Error('text is read from files only');
    },
  };
}

/** Bytes that are read at a time: quick enough, and short enough to let others work in between. */
export const PIECE = 2 ** 20;
/** The same of text. What is read lives through the engine's collections of garbage, and the memory for what is young grows with what does. */
export const TEXT_PIECE = 2 ** 14;

const MEGABYTE = 2 ** 20;

/** `Reading a.csv: 3 of 1,024 MB`. */
export function readingWords({ name, done, size }: DataFile): string {
  const megabytes = (bytes: number): string => Math.round(bytes / MEGABYTE).toLocaleString('en-US');
  return size < MEGABYTE ? `Reading ${name}` : `Reading ${name}: ${megabytes(done)} of ${megabytes(size)} MB`;
}
