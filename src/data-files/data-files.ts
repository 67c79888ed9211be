// Reads the files that a spec names, and no others: nothing outside of the given folders, whatever links or `..` say,
// and only regular files. Files are read in pieces, so they may be larger than memory.
import fs from 'node:fs';
import path from 'node:path';
import { TextDecoder } from 'node:util';
import zlib from 'node:zlib';
import { DataError, type OptionPath } from '../engine/datasets/data-error';
import {
  type DataFile,
  type DataFiles,
  type Compression,
  READ_CHUNK_BYTES,
  TEXT_CHUNK_BYTES,
} from '../engine/datasets/data-file';
import { isInside } from './is-inside';

export interface ReadableFolders {
  /** The folder that relative paths start from; empty for an unsaved spec. */
  readonly folder: string;
  /** Only files inside it may be read; null for no limit. */
  readonly root: string | null;
  /** Further folders that the user allows, as absolute paths. */
  readonly allowed?: readonly string[] | undefined;
}

/** What identifies the contents of the files that were read, by the path in the spec. */
export type FileVersions = Readonly<Record<string, string>>;

/** Bytes to read at a time. */
export interface ChunkSizes {
  readonly text: number;
  readonly numbers: number;
}

export class FolderFiles implements DataFiles {
  readonly #folders: ReadableFolders;
  readonly #openFiles: OpenFile[] = [];

  readonly #versions: Record<string, string> = {};

  /** @param expected versions that files must have, so that samples of different files are never mixed */
  constructor(
    folders: ReadableFolders,
    readonly chunkSizes: ChunkSizes = { text: TEXT_CHUNK_BYTES, numbers: READ_CHUNK_BYTES },
    readonly expected: FileVersions = {},
  ) {
    this.#folders = folders;
  }

  /** Of the files that were opened, also after they are closed. */
  get versions(): FileVersions {
    return this.#versions;
  }

  open(file: string, at: OptionPath): DataFile {
    const refuse = (message: string, remedy: string): never => {
      throw new DataError(message, remedy, at);
    };
    const { folder, root } = this.#folders;
    const name = quote(file);
    if (folder === '') return refuse(`${name} cannot be found: the spec has no folder yet.`, 'Save the spec first.');
    const target = path.resolve(folder, file);
    let descriptor: number | undefined;
    try {
      const real = fs.realpathSync(target);
      if (!this.#isAllowed(real)) refuse(...outsideWorkspaceMessage(name));
      if (!fs.statSync(real).isFile()) refuse(`${name} is not a file.`, 'Use the path of a file.');
      // Non-blocking, because a pipe may have replaced the file.
      descriptor = fs.openSync(real, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const opened = fs.fstatSync(descriptor);
      if (!opened.isFile()) refuse(`${name} is not a file.`, 'Use the path of a file.');
      // A link may have changed between the check and the opening: what counts is the file that was opened.
      if (root !== null && !this.#isAllowed(realPathOf(descriptor, real))) refuse(...outsideWorkspaceMessage(name));
      const own = new OpenFile(file, descriptor, opened, at, this.chunkSizes);
      const wanted = Object.hasOwn(this.expected, file) ? this.expected[file] : undefined;
      if (wanted !== undefined && wanted !== own.version) {
        throw new DataError(
          `${name} has changed since the run was opened.`,
          'Open the run again to use the new data, or restore the file.',
          at,
          'file-changed',
        );
      }
      this.#versions[file] = own.version;
      this.#openFiles.push(own);
      return own;
    } catch (error) {
      if (descriptor !== undefined) fs.closeSync(descriptor);
      throw error instanceof DataError ? error : readError(error, file, at);
    }
  }

  decompress(bytes: Uint8Array, packing: Compression, most: number): Uint8Array | 'damaged' | 'large' {
    try {
      const unpack = packing === 'gzip' ? zlib.gunzipSync : zlib.inflateRawSync;
      const unpacked = unpack(bytes, { maxOutputLength: Math.max(1, most) });
      return new Uint8Array(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'large' : 'damaged';
    }
  }

  /** No file can be read after this. */
  close(): void {
    for (const file of this.#openFiles.splice(0)) file.close();
  }

  #isAllowed(real: string): boolean {
    const { root, allowed = [] } = this.#folders;
    return root === null || [root, ...allowed].some((folder) => isInside(real, realFolder(folder)));
  }
}

/** Closes all files that were opened. */
export function withDataFiles<Result>(
  folders: ReadableFolders,
  use: (files: FolderFiles) => Result,
  expected?: FileVersions,
): Result {
  const files = new FolderFiles(folders, undefined, expected);
  try {
    return use(files);
  } finally {
    files.close();
  }
}

/** Every write changes it, unless the clock of the file system stands still between the two. */
const versionOf = ({ size, mtimeMs, ino }: fs.Stats): string => `${size} ${mtimeMs} ${ino}`;

class OpenFile implements DataFile {
  bytesRead = 0;
  readonly size: number;
  readonly version: string;
  readonly chunkBytes: number;
  readonly #textChunkBytes: number;
  #buffer = new Uint8Array(0);

  constructor(
    readonly name: string,
    readonly descriptor: number,
    opened: fs.Stats,
    readonly at: OptionPath,
    { text, numbers }: ChunkSizes,
  ) {
    this.size = opened.size;
    this.version = versionOf(opened);
    this.chunkBytes = numbers;
    // At least one whole character.
    this.#textChunkBytes = Math.max(4, text);
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new RangeError(`${this.name} ends before that`);
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    const bytes = this.#buffer.subarray(0, length);
    for (let got = 0; got < length;) {
      const now = this.#readInto(bytes.subarray(got), offset + got);
      if (now === 0) throw this.#changedError();
      got += now;
    }
    this.#checkUnchanged();
    this.bytesRead += length;
    return bytes;
  }

  *text(): Generator<string, void> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for (let from = 0; from < this.size;) {
      const bytes = this.read(from, Math.min(this.#textChunkBytes, this.size - from));
      const whole = from + bytes.length < this.size ? bytes.subarray(0, lastBoundary(bytes)) : bytes;
      yield this.#decode(decoder, whole, from);
      this.bytesRead -= bytes.length - whole.length;
      from += whole.length;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  /** A file that was written to or replaced in the meantime would give samples of both versions. */
  #checkUnchanged(): void {
    const now = fs.fstatSync(this.descriptor);
    if (now.nlink === 0 || versionOf(now) !== this.version) throw this.#changedError();
  }

  #changedError(): DataError {
    return new DataError(
      `${quote(this.name)} changed while it was read.`,
      'Open the spec again once the file is written completely.',
      this.at,
      'file-changed',
    );
  }

  #readInto(bytes: Uint8Array, position: number): number {
    try {
      return fs.readSync(this.descriptor, bytes, 0, bytes.length, position);
    } catch (error) {
      throw readError(error, this.name, this.at);
    }
  }

  #decode(decoder: TextDecoder, bytes: Uint8Array, from: number): string {
    const tryDecode = (length: number): string | undefined => {
      try {
        return decoder.decode(bytes.subarray(0, length), { stream: length < bytes.length });
      } catch {
        return undefined;
      } finally {
        // Leftover bytes belong only to this check.
        if (length < bytes.length) flush(decoder);
      }
    };
    const text = tryDecode(bytes.length);
    if (text !== undefined) return text;
    let good = 0;
    for (let bad = bytes.length; bad - good > 1;) {
      const middle = (good + bad) >> 1;
      if (tryDecode(middle) === undefined) bad = middle;
      else good = middle;
    }
    throw new DataError(
      `${quote(this.name)} is not UTF-8 text at byte ${from + lastBoundary(bytes.subarray(0, good)) + 1}.`,
      'Save the file as UTF-8.',
      this.at,
    );
  }
}

function flush(decoder: TextDecoder): void {
  try {
    decoder.decode();
  } catch {
    /* a truncated character */
  }
}

/** The end of the last whole character, which is within the last four bytes of any text. */
function lastBoundary(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length - back + 1;
    const whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (byte >= 0xc0) return back < whole ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The real path of an open file: Linux provides it; elsewhere the path must still lead to the same file. */
function realPathOf(descriptor: number, real: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    const again = fs.realpathSync(real);
    const [a, b] = [fs.fstatSync(descriptor), fs.statSync(again)];
    return a.ino === b.ino && a.dev === b.dev ? again : path.parse(real).root;
  }
}

/** A folder that does not exist contains nothing. */
function realFolder(folder: string): string | null {
  try {
    return path.isAbsolute(folder) ? fs.realpathSync(folder) : null;
  } catch {
    return null;
  }
}

const outsideWorkspaceMessage = (name: string): [string, string] => [
  `${name} is outside the workspace, so it is not read.`,
  'Copy the file next to the spec, open the folder that holds both, or allow its folder: the setting nablascope.dataFolders, ' +
    'in a terminal --data-folder.',
];

function readError(error: unknown, file: string, at: OptionPath): DataError {
  const { code } = error as NodeJS.ErrnoException;
  const name = quote(file);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new DataError(`There is no file ${name}.`, 'Check the path: it is relative to the folder of the spec.', at);
  }
  if (code === 'EACCES' || code === 'EPERM')
    return new DataError(`There is no permission to read ${name}.`, 'Change the permissions of the file.', at);
  const why = code ?? (error instanceof Error ? error.message : String(error));
  return new DataError(`${name} cannot be read (${why}).`, 'Check the path and the file.', at);
}

const quote = (file: string): string => JSON.stringify(file.length > 80 ? `${file.slice(0, 80)}…` : file);
