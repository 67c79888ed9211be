// The header of an IDX file, plain or compressed with gzip. Source: the description on Yann LeCun's page of MNIST.
import { type ArrayFile, fileError, validateArrayFile, wrongKindError, type Dtype } from './array-file';
import type { OptionPath } from './data-error';
import { type DataFile, type DataFiles, inMemoryFile, maxUnpackedBytes } from './data-file';
import { MAX_DATASET_BYTES } from './row-selection';

/** As in a .npy file; real files have up to 4. */
const MAX_AXES = 32;

const dtypes: Readonly<Record<number, Dtype>> = {
  0x08: 'uint8',
  0x09: 'int8',
  0x0b: 'int16',
  0x0c: 'int32',
  0x0d: 'float32',
  0x0e: 'float64',
};

/** @throws DataError */
export function openIdx(files: DataFiles, packed: DataFile, at: OptionPath): ArrayFile {
  const file = decompressIfGzip(files, packed, at);
  if (file.size === 0) throw fileError(file, at, 'it is empty');
  if (file.size < 4) throw fileError(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const [zero, none, type = 0, axes = 0] = file.read(0, 4);
  if (zero !== 0 || none !== 0) {
    throw wrongKindError(
      file,
      at,
      'it is not an IDX file: its first two bytes are not 0',
      'Use an IDX file such as train-images-idx3-ubyte, or its .gz.',
    );
  }
  const dtype = dtypes[type];
  if (!dtype)
    throw fileError(file, at, `byte 3 says type 0x${type.toString(16).padStart(2, '0')}, which IDX does not have`);
  if (axes > MAX_AXES) throw fileError(file, at, `byte 4 says ${axes} axes; at most ${MAX_AXES} are supported`);
  const offset = 4 + 4 * axes;
  if (file.size < offset) throw fileError(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const header = file.read(4, offset - 4);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 * i));
  return validateArrayFile({ file, at, dtype, littleEndian: false, fortranOrder: false, shape, offset });
}

/** Decompresses a gzip file, recognized by its first bytes; returns any other file unchanged. */
function decompressIfGzip(files: DataFiles, file: DataFile, at: OptionPath): DataFile {
  if (file.size < 2) return file;
  const [a, b] = file.read(0, 2);
  if (a !== 0x1f || b !== 0x8b) return file;
  if (file.size > MAX_DATASET_BYTES)
    throw fileError(file, at, 'it is too large to decompress in memory', 'Decompress it with gunzip.');
  const most = Math.min(MAX_DATASET_BYTES, maxUnpackedBytes(file.size));
  const bytes = files.decompress(file.read(0, file.size), 'gzip', most);
  if (bytes === 'large') {
    const what = `its ${file.size} packed bytes unpack to more than ${most}, which would fill the memory`;
    throw fileError(file, at, what, 'Decompress it with gunzip.', 'unpacks-too-large');
  }
  if (bytes === 'damaged') throw fileError(file, at, 'it is damaged or truncated: gzip cannot decompress it');
  return inMemoryFile(file.name, bytes, file.chunkBytes);
}
