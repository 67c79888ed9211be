// The arrays in a .npz file, which is a zip file of .npy files. Source: PKWARE's APPNOTE, sections 4.3 and 4.4.
// What is encrypted, split over several files or larger than 4 GB is refused.
import { broken } from './array-file';
import { DataError, type OptionPath } from './dataset';
import { type DataFile, type DataFiles, inMemory } from './files';
import { nearest } from '../nearest';
import { DATA_LIMIT } from './rows';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 65535;
/** Bytes. Many times what any .npz has. */
const LONGEST_DIRECTORY = 2 ** 24;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

export class Npz {
  readonly #entries: ReadonlyMap<string, Entry>;

  /** @throws DataError */
  constructor(readonly files: DataFiles, readonly file: DataFile, readonly at: OptionPath) {
    this.#entries = new Map(readDirectory(file, at).map((entry) => [entry.name.replace(/\.npy$/, ''), entry]));
  }

  /** One array, unpacked and compared with its checksum. Throws DataError. */
  array(name: string, at: OptionPath): DataFile {
    const { file, files } = this;
    const entry = this.#entries.get(name);
    if (!entry) {
      const names = [...this.#entries.keys()];
      const near = nearest(name, names);
      throw new DataError(
        `${file.name} has no array ${JSON.stringify(name)}.`,
        near ? `Did you mean "${near}"?` : names.length === 0 ? 'Name another file.' : `Its arrays are: ${names.slice(0, 20).join(', ')}.`,
        at,
      );
    }
    const where = `${file.name}, ${name}`;
    const fail = (what: string, remedy?: string): DataError => broken({ ...inMemory(where, new Uint8Array()) }, at, what, remedy);
    if (entry.flags & 1) throw fail('it is encrypted', 'Save the arrays with numpy.savez.');
    if (entry.method !== 0 && entry.method !== 8) {
      throw fail(`it is packed by method ${entry.method}, which is not read`, 'Save the arrays with numpy.savez or numpy.savez_compressed.');
    }
    if (entry.size > DATA_LIMIT || entry.packed > DATA_LIMIT) {
      throw fail('it is too large to be unpacked in memory', 'Save the array as .npy, which is read in pieces.');
    }
    if (entry.offset + LOCAL_BYTES > file.size) throw fail(`it should start at byte ${entry.offset}, but the file ends before`);
    const local = viewOf(file.read(entry.offset, LOCAL_BYTES));
    if (local.getUint32(0, true) !== LOCAL) throw fail(`no entry of a zip file starts at byte ${entry.offset}`);
    const start = entry.offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    if (start + entry.packed > file.size) throw fail(`it should reach to byte ${start + entry.packed}, but the file ends at byte ${file.size}`);
    const packed = file.read(start, entry.packed);
    const bytes = entry.method === 0 ? packed.slice() : files.unpack(packed, 'deflate', entry.size);
    if (typeof bytes === 'string' || bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
      throw fail('it is damaged: what is unpacked is not what was packed');
    }
    return inMemory(where, bytes);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

function readDirectory(file: DataFile, at: OptionPath): Entry[] {
  const remedy = 'Save the arrays with numpy.savez.';
  const tailBytes = Math.min(file.size, END_BYTES + LONGEST_COMMENT);
  const from = file.size - tailBytes;
  const tail = viewOf(file.read(from, tailBytes).slice());
  let end = tailBytes - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw broken(file, at, 'it is no .npz file, or cut off: the directory at the end of a zip file is missing', remedy);
  const count = tail.getUint16(end + 10, true);
  const bytes = tail.getUint32(end + 12, true);
  const start = tail.getUint32(end + 16, true);
  if (start + bytes > from + end || bytes > LONGEST_DIRECTORY) {
    throw broken(file, at, `its directory should lie from byte ${start} to ${start + bytes}, which cannot be`, remedy);
  }
  const directory = file.read(start, bytes).slice();
  const view = viewOf(directory);
  const entries: Entry[] = [];
  let place = 0;
  while (entries.length < count) {
    const whole = place + ENTRY_BYTES <= bytes && view.getUint32(place, true) === ENTRY;
    const nameBytes = whole ? view.getUint16(place + 28, true) : 0;
    const next = whole ? place + ENTRY_BYTES + nameBytes + view.getUint16(place + 30, true) + view.getUint16(place + 32, true) : Infinity;
    if (next > bytes) throw broken(file, at, `entry ${entries.length + 1} of its directory, at byte ${start + place}, is damaged`, remedy);
    entries.push({
      name: utf8(directory.subarray(place + ENTRY_BYTES, place + ENTRY_BYTES + nameBytes)),
      flags: view.getUint16(place + 8, true),
      method: view.getUint16(place + 10, true),
      crc: view.getUint32(place + 16, true),
      packed: view.getUint32(place + 20, true),
      size: view.getUint32(place + 24, true),
      offset: view.getUint32(place + 42, true),
    });
    place = next;
  }
  return entries;
}

/** Names of arrays are Python's, mostly ASCII; what is no UTF-8 becomes a name that nobody asks for. */
function utf8(bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}

let table: Uint32Array | undefined;

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
  });
}

/** The checksum of zip and gzip. */
export function crc32(bytes: Uint8Array): number {
  table ??= crcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
