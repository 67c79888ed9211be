// The files that a spec names, and no others: nothing outside the given folders, whatever links or `..` say, and
// nothing that is not a regular file. Read in pieces, so that a file may be larger than memory.
import fs from 'node:fs';
import path from 'node:path';
import { TextDecoder } from 'node:util';
import zlib from 'node:zlib';
import { DataError, type OptionPath } from '../engine/datasets/dataset';
import { type DataFile, type DataFiles, type Packing, TEXT_PIECE } from '../engine/datasets/files';

export interface ReadableFolders {
  /** Where relative paths start; empty for a spec that was never saved. */
  readonly folder: string;
  /** Nothing outside of it is read; null for no bound. */
  readonly root: string | null;
  /** Folders that the user allows beside it, by their full path. */
  readonly allowed?: readonly string[];
}

export class FolderFiles implements DataFiles {
  readonly #folders: ReadableFolders;
  readonly #open: OpenFile[] = [];

  constructor(folders: ReadableFolders) {
    this.#folders = folders;
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
      if (!this.#mayRead(real)) refuse(...outside(name));
      if (!fs.statSync(real).isFile()) refuse(`${name} is no file.`, 'Give the path of a file.');
      // Without waiting: a pipe may have taken its place.
      descriptor = fs.openSync(real, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const opened = fs.fstatSync(descriptor);
      if (!opened.isFile()) refuse(`${name} is no file.`, 'Give the path of a file.');
      // A link may have been changed between the look and the opening, so what counts is what was opened.
      if (root !== null && !this.#mayRead(openedPath(descriptor, real))) refuse(...outside(name));
      const own = new OpenFile(file, descriptor, opened.size, at);
      this.#open.push(own);
      return own;
    } catch (error) {
      if (descriptor !== undefined) fs.closeSync(descriptor);
      throw error instanceof DataError ? error : unreadable(error, file, at);
    }
  }

  unpack(bytes: Uint8Array, packing: Packing, most: number): Uint8Array | 'damaged' | 'large' {
    try {
      const unpack = packing === 'gzip' ? zlib.gunzipSync : zlib.inflateRawSync;
      return unpack(bytes, { maxOutputLength: Math.max(1, most) });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'large' : 'damaged';
    }
  }

  /** Nothing can be read from now on. */
  close(): void {
    for (const file of this.#open.splice(0)) file.close();
  }

  #mayRead(real: string): boolean {
    const { root, allowed = [] } = this.#folders;
    return root === null || [root, ...allowed].some((folder) => isInside(real, realFolder(folder)));
  }
}

/** Closes whatever was opened. */
export function withFiles<Result>(folders: ReadableFolders, use: (files: DataFiles) => Result): Result {
  const files = new FolderFiles(folders);
  try {
    return use(files);
  } finally {
    files.close();
  }
}

class OpenFile implements DataFile {
  done = 0;
  #buffer = Buffer.alloc(0);

  constructor(
    readonly name: string,
    readonly descriptor: number,
    readonly size: number,
    readonly at: OptionPath,
  ) {}

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new RangeError(`${this.name} ends before that`);
    if (this.#buffer.length < length) this.#buffer = Buffer.alloc(length);
    const bytes = this.#buffer.subarray(0, length);
    for (let got = 0; got < length; ) {
      const now = this.#readInto(bytes.subarray(got), offset + got);
      if (now === 0) {
        throw new DataError(`${quote(this.name)} became shorter while it was read.`, 'Open the spec again.', this.at);
      }
      got += now;
    }
    this.done += length;
    return bytes;
  }

  *text(): Generator<string, void> {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for (let from = 0; from < this.size; ) {
      const bytes = this.read(from, Math.min(TEXT_PIECE, this.size - from));
      const whole = from + bytes.length < this.size ? bytes.subarray(0, lastBoundary(bytes)) : bytes;
      yield this.#decode(decoder, whole, from);
      this.done -= bytes.length - whole.length;
      from += whole.length;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  #readInto(bytes: Uint8Array, position: number): number {
    try {
      return fs.readSync(this.descriptor, bytes, 0, bytes.length, position);
    } catch (error) {
      throw unreadable(error, this.name, this.at);
    }
  }

  #decode(decoder: TextDecoder, bytes: Uint8Array, from: number): string {
    const reads = (length: number): string | undefined => {
      try {
        return decoder.decode(bytes.subarray(0, length), { stream: length < bytes.length });
      } catch {
        return undefined;
      } finally {
        // Whatever was left over belongs to this look only.
        if (length < bytes.length) flush(decoder);
      }
    };
    const text = reads(bytes.length);
    if (text !== undefined) return text;
    let good = 0;
    for (let bad = bytes.length; bad - good > 1; ) {
      const middle = (good + bad) >> 1;
      if (reads(middle) === undefined) bad = middle;
      else good = middle;
    }
    throw new DataError(`${quote(this.name)} is not UTF-8 text at byte ${from + lastBoundary(bytes.subarray(0, good)) + 1}.`, 'Save the file as UTF-8.', this.at);
  }
}

function flush(decoder: TextDecoder): void {
  try {
    decoder.decode();
  } catch {
    /* a character that was cut */
  }
}

/** Where the last whole character ends; within the last four bytes in any text. */
function lastBoundary(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return bytes.length - back + 1;
    const whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (byte >= 0xc0) return back < whole ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Where an opened file really lies: Linux tells; elsewhere the path must still lead to the same file. */
function openedPath(descriptor: number, real: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    const again = fs.realpathSync(real);
    const [a, b] = [fs.fstatSync(descriptor), fs.statSync(again)];
    return a.ino === b.ino && a.dev === b.dev ? again : path.parse(real).root;
  }
}

/** A folder that is not there holds nothing. */
function realFolder(folder: string): string | null {
  try {
    return path.isAbsolute(folder) ? fs.realpathSync(folder) : null;
  } catch {
    return null;
  }
}

function isInside(target: string, folder: string | null): boolean {
  if (folder === null) return false;
  const relative = path.relative(folder, target);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

const outside = (name: string): [string, string] => [
  `${name} lies outside the workspace, so it is not read.`,
  'Copy the file next to the spec, open the folder that holds both, or allow its folder: the setting nablascope.dataFolders, ' +
    'in a terminal --data-folder.',
];

function unreadable(error: unknown, file: string, at: OptionPath): DataError {
  const { code } = error as NodeJS.ErrnoException;
  const name = quote(file);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new DataError(`There is no file ${name}.`, 'Check the path: it starts at the folder of the spec.', at);
  }
  if (code === 'EACCES' || code === 'EPERM') return new DataError(`${name} may not be read.`, 'Change the permissions of the file.', at);
  const why = code ?? (error instanceof Error ? error.message : String(error));
  return new DataError(`${name} cannot be read (${why}).`, 'Check the path and the file.', at);
}

const quote = (file: string): string => JSON.stringify(file.length > 80 ? `${file.slice(0, 80)}…` : file);
