// The files that a spec names, as a dataset sees them. The engine accesses no file system: the caller that loads a spec
// passes in how to open files, and decides which may be read.
import { formatInteger } from '../format-count';
import type { OptionPath } from './data-error';

/** A file, or a part of one, with random access. */
export interface DataFile {
  /** The name as written in the spec. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Number of bytes read so far. */
  readonly bytesRead: number;
  /** The number of bytes that readers of numbers request at a time. */
  readonly chunkBytes: number;
  /**
   * Exactly `length` bytes, valid until the next call, so copy them to keep them. A plain Uint8Array and never a
   * Buffer: `Buffer.slice` shares memory where `Uint8Array.slice` copies. Throws DataError, and RangeError beyond the
   * end.
   */
  read(offset: number, length: number): Uint8Array;
  /**
   * The whole file as UTF-8 text, in chunks of any size. Throws DataError with the position of the first invalid byte.
   */
  text(): Iterable<string>;
}

export type Compression = 'gzip' | 'deflate';

export interface DataFiles {
  /**
   * Throws a DataError that says why a file cannot be opened.
   * @param at the option that names it, below `data` in the spec
   */
  open(path: string, at: OptionPath): DataFile;
  /** Decompresses; returns `damaged` for invalid data and `large` if the result exceeds `most` bytes. */
  decompress(bytes: Uint8Array, packing: Compression, most: number): Uint8Array | 'damaged' | 'large';
}

/**
 * The most bytes that compressed ones may decompress to. Deflate compresses up to a thousandfold, but beyond 64 MB only
 * files made to fill the memory come near that.
 */
export const maxUnpackedBytes = (packedBytes: number): number => Math.max(2 ** 26, 64 * packedBytes);

/** Files that stay open until they are closed. */
export interface OpenDataFiles extends DataFiles {
  close(): void;
}

/** A file in memory, such as a decompressed one. Shares the memory of `content`. */
export function inMemoryFile(name: string, content: Uint8Array, chunkBytes = READ_CHUNK_BYTES): DataFile {
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return {
    name,
    size: bytes.length,
    bytesRead: bytes.length,
    chunkBytes,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) throw new RangeError(`${name} ends before that`);
      return bytes.subarray(offset, offset + length);
    },
    text: () => {
      throw new Error('text is read from files only');
    },
  };
}

/** Bytes to read at a time: large enough to be fast, small enough to let other work run in between. */
export const READ_CHUNK_BYTES = 2 ** 20;
/**
 * The same for text. Chunks of text survive V8's young-generation collections, and that generation grows with them, so
 * they are small.
 */
export const TEXT_CHUNK_BYTES = 2 ** 14;

const MEGABYTE = 2 ** 20;

/** `Reading a.csv: 3 of 1,024 MB`. */
export function readingProgress({ name, bytesRead, size }: Pick<DataFile, 'name' | 'bytesRead' | 'size'>): string {
  const megabytes = (bytes: number): string => formatInteger(Math.round(bytes / MEGABYTE));
  return size < MEGABYTE ? `Reading ${name}` : `Reading ${name}: ${megabytes(bytesRead)} of ${megabytes(size)} MB`;
}
