// The header of a .npy file. Source: NumPy's description of the format, numpy.lib.format, versions 1.0 to 3.0.
import { type ArrayFile, broken, checkArray, type Element } from './array-file';
import type { OptionPath } from './dataset';
import type { DataFile } from './files';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Bytes. NumPy itself refuses longer headers unless told to trust them. */
const LONGEST_HEADER = 65536;
const MOST_AXES = 32;

const elements: Readonly<Record<string, Element>> = {
  b1: 'bool', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64',
  u1: 'uint8', u2: 'uint16', u4: 'uint32', u8: 'uint64', f4: 'float32', f8: 'float64',
};

/** @throws DataError */
export function openNpy(file: DataFile, at: OptionPath): ArrayFile {
  if (file.size === 0) throw broken(file, at, 'it is empty');
  const start = file.read(0, Math.min(12, file.size)).slice();
  if (MAGIC.some((byte, i) => start[i] !== byte)) {
    throw broken(file, at, 'it is no .npy file: its first six bytes are not \\x93NUMPY', 'Save the array with numpy.save.');
  }
  const version = start[6];
  if (!(version >= 1 && version <= 3)) {
    throw broken(file, at, `byte 7 says version ${version ?? 'nothing'} of the format; versions 1 to 3 are read`, 'Save the array with numpy.save.');
  }
  const wide = version > 1;
  const begin = wide ? 12 : 10;
  if (file.size < begin) throw broken(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const length = start[8] + 256 * start[9] + (wide ? 65536 * start[10] + 16777216 * start[11] : 0);
  if (length > LONGEST_HEADER) throw broken(file, at, `its header claims ${length} bytes; no more than ${LONGEST_HEADER} are read`);
  if (file.size < begin + length) throw broken(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const header = asText(file.read(begin, length));
  return checkArray({ file, at, offset: begin + length, ...parseHeader(header, file, at) });
}

// Latin-1 will do: what is read of it is ASCII in every version.
const asText = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

function parseHeader(header: string, file: DataFile, at: OptionPath): Pick<ArrayFile, 'element' | 'littleEndian' | 'fortran' | 'shape'> {
  const type = /'descr'\s*:\s*(?:'([^']*)'|\[)/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (!type || order === undefined || sizes === undefined) {
    throw broken(file, at, 'its header does not say the type, order and shape of the array', 'Save the array with numpy.save.');
  }
  const [, byteOrder, code] = /^([<>|=]?)(\w+)$/.exec(type[1] ?? '') ?? [];
  const element = Object.hasOwn(elements, code ?? '') ? elements[code] : undefined;
  if (!element) {
    throw broken(
      file, at,
      type[1] === undefined ? 'its entries are records of several fields' : `its entries have the type ${JSON.stringify(type[1].slice(0, 40))}`,
      'Save it as float32, float64, a whole number of 8 to 64 bits, or bool: array.astype("float32").',
    );
  }
  const shape = sizes.split(',').map((size) => size.replace('L', '').trim()).filter((size) => size !== '').map(Number);
  if (shape.length > MOST_AXES || shape.some((size) => !Number.isSafeInteger(size))) {
    throw broken(file, at, 'its header does not say a shape', 'Save the array with numpy.save.');
  }
  return { element, littleEndian: byteOrder !== '>', fortran: order === 'True', shape };
}
