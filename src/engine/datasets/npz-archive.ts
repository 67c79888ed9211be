// The arrays in a .npz file, which is a zip file of .npy files. Source: PKWARE's APPNOTE, sections 4.3 and 4.4.
// Archives that are encrypted, split over several files or larger than 4 GB are rejected.
import { fileError, wrongKindError } from './array-file';
import { type DataError, type OptionPath, unknownNameError } from './data-error';
import { type DataFile, type DataFiles, inMemoryFile, maxUnpackedBytes } from './data-file';
import { MAX_DATASET_BYTES } from './row-selection';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 65535;
/** Bytes. Many times the size in any real .npz file. */
const MAX_DIRECTORY_BYTES = 2 ** 24;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly offset: number;
}

export class NpzArchive {
  readonly #entries: ReadonlyMap<string, Entry>;

  /** @throws DataError */
  constructor(
    readonly files: DataFiles,
    readonly file: DataFile,
    readonly at: OptionPath,
  ) {
    this.#entries = new Map(readDirectory(file, at).map((entry) => [entry.name.replace(/\.npy$/, ''), entry]));
  }

  /** One array, decompressed and verified against its checksum. Throws DataError. */
  array(name: string, at: OptionPath): DataFile {
    const { file, files } = this;
    const entry = this.#entries.get(name);
    if (!entry) {
      if (['data', 'indices', 'indptr'].every((part) => this.#entries.has(part))) {
        throw fileError(
          file,
          at,
          `it has no array "${name}", but the parts of a sparse matrix of SciPy`,
          'Save it as an array in Python: scipy.sparse.load_npz(path).toarray().',
          'sparse-matrix',
        );
      }
      const names = [...this.#entries.keys()].filter((key) => key !== '');
      throw unknownNameError(file.name, 'array', name, names, at);
    }
    const where = `${file.name}, ${name}`;
    const fail = (what: string, remedy?: string, code?: string): DataError =>
      fileError({ ...inMemoryFile(where, new Uint8Array()) }, at, what, remedy, code);
    if (entry.flags & 1) throw fail('it is encrypted', 'Save the arrays with numpy.savez.');
    if (entry.method !== 0 && entry.method !== 8) {
      throw fail(
        `its compression method ${entry.method} is not supported`,
        'Save the arrays with numpy.savez or numpy.savez_compressed.',
      );
    }
    if ([entry.size, entry.compressedSize, entry.offset].includes(BEYOND_4_GB)) throw beyond4GbError(file, at);
    if (entry.size > MAX_DATASET_BYTES || entry.compressedSize > MAX_DATASET_BYTES) {
      throw fail('it is too large to decompress in memory', 'Save the array as .npy, which is read in pieces.');
    }
    if (entry.method === 8 && entry.size > maxUnpackedBytes(entry.compressedSize)) {
      throw fail(
        `its ${entry.compressedSize} packed bytes claim to unpack to ${entry.size}, which would fill the memory`,
        'Save the arrays with numpy.savez, which does not pack them.',
        'unpacks-too-large',
      );
    }
    if (entry.offset + LOCAL_BYTES > file.size)
      throw fail(`it should start at byte ${entry.offset}, but the file ends before`);
    const local = dataView(file.read(entry.offset, LOCAL_BYTES));
    if (local.getUint32(0, true) !== LOCAL_SIGNATURE)
      throw fail(`no entry of a zip file starts at byte ${entry.offset}`);
    const start = entry.offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    if (start + entry.compressedSize > file.size)
      throw fail(`it should reach to byte ${start + entry.compressedSize}, but the file ends at byte ${file.size}`);
    const packed = file.read(start, entry.compressedSize);
    const bytes = entry.method === 0 ? packed.slice() : files.decompress(packed, 'deflate', entry.size);
    if (typeof bytes === 'string' || bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
      throw fail('it is damaged: its checksum does not match');
    }
    return inMemoryFile(where, bytes, file.chunkBytes);
  }
}

const dataView = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** The number of a zip file whose true value, of 64 bits, is elsewhere. */
const BEYOND_4_GB = 0xffffffff;

const beyond4GbError = (file: DataFile, at: OptionPath): DataError =>
  fileError(
    file,
    at,
    'it has the form of zip files above 4 GB, which is not read',
    'Save its arrays one by one with numpy.save, and use "type": "npy", which is read in pieces.',
    'zip64',
  );

function readDirectory(file: DataFile, at: OptionPath): Entry[] {
  const remedy = 'Save the arrays with numpy.savez.';
  const tailBytes = Math.min(file.size, END_BYTES + MAX_COMMENT_BYTES);
  const from = file.size - tailBytes;
  const tail = dataView(file.read(from, tailBytes).slice());
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END_SIGNATURE) end--;
  if (end < 0)
    throw wrongKindError(
      file,
      at,
      'it is not a .npz file, or truncated: the directory at the end of a zip file is missing',
      remedy,
    );
  const count = tail.getUint16(end + 10, true);
  const bytes = tail.getUint32(end + 12, true);
  const start = tail.getUint32(end + 16, true);
  if (count === 0xffff || start === BEYOND_4_GB) throw beyond4GbError(file, at);
  if (start + bytes > from + end || bytes > MAX_DIRECTORY_BYTES) {
    throw fileError(
      file,
      at,
      `its directory should lie from byte ${start} to ${start + bytes}, which cannot be`,
      remedy,
    );
  }
  const directory = file.read(start, bytes).slice();
  const view = dataView(directory);
  const entries: Entry[] = [];
  let place = 0;
  while (entries.length < count) {
    const whole = place + ENTRY_BYTES <= bytes && view.getUint32(place, true) === ENTRY_SIGNATURE;
    const nameBytes = whole ? view.getUint16(place + 28, true) : 0;
    const next = whole
      ? place + ENTRY_BYTES + nameBytes + view.getUint16(place + 30, true) + view.getUint16(place + 32, true)
      : Infinity;
    if (next > bytes)
      throw fileError(
        file,
        at,
        `entry ${entries.length + 1} of its directory, at byte ${start + place}, is damaged`,
        remedy,
      );
    entries.push({
      name: decodeUtf8(directory.subarray(place + ENTRY_BYTES, place + ENTRY_BYTES + nameBytes)),
      flags: view.getUint16(place + 8, true),
      method: view.getUint16(place + 10, true),
      crc: view.getUint32(place + 16, true),
      compressedSize: view.getUint32(place + 20, true),
      size: view.getUint32(place + 24, true),
      offset: view.getUint32(place + 42, true),
    });
    place = next;
  }
  return entries;
}

/** Array names are Python identifiers, mostly ASCII. Invalid UTF-8 becomes a name that no spec asks for. */
export function decodeUtf8(bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}

let cachedCrcTable: Uint32Array | undefined;

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
  });
}

/** The CRC-32 of zip and gzip. */
export function crc32(bytes: Uint8Array): number {
  cachedCrcTable ??= crcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = cachedCrcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
