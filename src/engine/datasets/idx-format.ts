// The header of an IDX file, plain or packed with gzip. Source: the description on Yann LeCun's page of MNIST.
import { type ArrayFile, broken, checkArray, type Element } from './array-file';
import type { OptionPath } from './dataset';
import { type DataFile, type DataFiles, inMemory } from './files';
import { DATA_LIMIT } from './rows';

const elements: Readonly<Record<number, Element>> = {
  0x08: 'uint8', 0x09: 'int8', 0x0b: 'int16', 0x0c: 'int32', 0x0d: 'float32', 0x0e: 'float64',
};

/** @throws DataError */
export function openIdx(files: DataFiles, packed: DataFile, at: OptionPath): ArrayFile {
  const file = unpacked(files, packed, at);
  if (file.size === 0) throw broken(file, at, 'it is empty');
  if (file.size < 4) throw broken(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const [zero, none, type, axes] = file.read(0, 4);
  if (zero !== 0 || none !== 0) {
    throw broken(file, at, 'it is no IDX file: its first two bytes are not 0', 'Name an IDX file such as train-images-idx3-ubyte, or its .gz.');
  }
  const element = elements[type];
  if (!element) throw broken(file, at, `byte 3 says type 0x${type.toString(16).padStart(2, '0')}, which IDX does not have`);
  const offset = 4 + 4 * axes;
  if (file.size < offset) throw broken(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const header = file.read(4, offset - 4);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 * i));
  return checkArray({ file, at, element, littleEndian: false, fortran: false, shape, offset });
}

/** What is in a file packed with gzip, which its first bytes tell; any other file as it is. */
function unpacked(files: DataFiles, file: DataFile, at: OptionPath): DataFile {
  if (file.size < 2) return file;
  const [a, b] = file.read(0, 2);
  if (a !== 0x1f || b !== 0x8b) return file;
  if (file.size > DATA_LIMIT) throw broken(file, at, 'it is too large to be unpacked in memory', 'Unpack it with gunzip.');
  const bytes = files.unpack(file.read(0, file.size), 'gzip', DATA_LIMIT);
  if (bytes === 'large') throw broken(file, at, 'what is packed in it is too large', 'Unpack it with gunzip.');
  if (bytes === 'damaged') throw broken(file, at, 'it is damaged or cut off: gzip cannot unpack it');
  return inMemory(file.name, bytes);
}
