// The header of a .npy file. Source: NumPy's description of the format, numpy.lib.format, versions 1.0 to 3.0.
import { type ArrayFile, dtypeBytes, fileError, validateArrayFile, wrongKindError, type Dtype } from './array-file';
import type { DataError, OptionPath } from './data-error';
import type { DataFile } from './data-file';
import { numel } from '../kernels/tensor';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Bytes. By default, NumPy itself rejects longer headers. */
const MAX_HEADER_BYTES = 65536;
const MAX_AXES = 32;

const dtypes: Readonly<Record<string, Dtype>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

/** @throws DataError */
export function openNpy(file: DataFile, at: OptionPath): ArrayFile {
  if (file.size === 0) throw fileError(file, at, 'it is empty');
  const start = file.read(0, Math.min(12, file.size)).slice();
  if (MAGIC.some((byte, i) => start[i] !== byte)) {
    throw wrongKindError(
      file,
      at,
      'it is not a .npy file: its first six bytes are not \\x93NUMPY',
      'Save the array with numpy.save.',
    );
  }
  const version = start[6]!;
  if (!(version >= 1 && version <= 3)) {
    throw fileError(
      file,
      at,
      `byte 7 says version ${version ?? 'nothing'} of the format; versions 1 to 3 are supported`,
      'Save the array with numpy.save.',
    );
  }
  const wide = version > 1;
  const begin = wide ? 12 : 10;
  if (file.size < begin) throw fileError(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const length = start[8]! + 256 * start[9]! + (wide ? 65536 * start[10]! + 16777216 * start[11]! : 0);
  if (length > MAX_HEADER_BYTES)
    throw fileError(file, at, `its header has ${length} bytes; the limit is ${MAX_HEADER_BYTES}`);
  if (file.size < begin + length)
    throw fileError(file, at, `it ends at byte ${file.size}, in the middle of its header`);
  const header = decodeLatin1(file.read(begin, length));
  const array: ArrayFile = { file, at, offset: begin + length, ...parseHeader(header, file, at) };
  const end = array.offset + numel(array.shape) * dtypeBytes(array.dtype);
  if (end + MAGIC.length <= file.size && MAGIC.every((byte, i) => file.read(end, MAGIC.length)[i] === byte)) {
    throw fileError(
      file,
      at,
      `a second array follows after byte ${end}, as numpy.save writes it into an open file`,
      'Save each array in a file of its own, or all with numpy.savez.',
      'several-arrays',
    );
  }
  return validateArrayFile(array);
}

// Latin-1 is sufficient: the fields that are read are ASCII in every version.
const decodeLatin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

function parseHeader(
  header: string,
  file: DataFile,
  at: OptionPath,
): Pick<ArrayFile, 'dtype' | 'littleEndian' | 'fortranOrder' | 'shape'> {
  const type = /'descr'\s*:\s*(?:'([^']*)'|\[)/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (!type || order === undefined || sizes === undefined) {
    throw fileError(
      file,
      at,
      'its header lacks the type, order and shape of the array',
      'Save the array with numpy.save.',
    );
  }
  const [, byteOrder, code] = /^([<>|=]?)(\w+)$/.exec(type[1] ?? '') ?? [];
  const dtype = code !== undefined && Object.hasOwn(dtypes, code) ? dtypes[code] : undefined;
  if (!dtype) {
    throw dtypeError(file, at, type[1], header);
  }
  const shape = sizes
    .split(',')
    .map((size) => size.replace('L', '').trim())
    .filter((size) => size !== '')
    .map(Number);
  if (shape.length > MAX_AXES || shape.some((size) => !Number.isSafeInteger(size))) {
    throw fileError(file, at, 'its header lacks a shape', 'Save the array with numpy.save.');
  }
  return { dtype, littleEndian: byteOrder !== '>', fortranOrder: order === 'True', shape };
}

/** How to convert an unsupported type in Python, by its NumPy kind. */
const typeRemedies: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  U: ['text', 'Number the texts: codes = np.unique(y, return_inverse=True)[1], and save codes.'],
  S: ['bytes of text', 'Number the texts: codes = np.unique(y, return_inverse=True)[1], and save codes.'],
  T: ['text', 'Number the texts: codes = np.unique(y.astype(str), return_inverse=True)[1], and save codes.'],
  O: [
    'Python objects, which are not loaded since they may run code',
    'Save numbers, np.array(x.tolist(), dtype="float32"), or the numbers of classes, np.unique(y.astype(str), return_inverse=True)[1].',
  ],
  M: ['dates', 'Save days since the first: (t - t.min()) / np.timedelta64(1, "D").'],
  m: ['time differences', 'Save a number of seconds: t / np.timedelta64(1, "s").'],
  c: ['complex numbers', 'Save real and imaginary parts: np.stack([x.real, x.imag], axis=-1).'],
  V: ['raw bytes', 'Save numbers; if x was bfloat16: x.view(ml_dtypes.bfloat16).astype("float32").'],
  f: ['floating-point numbers of another size', 'Save it as float64: x.astype("float64").'],
};

/** Fields that a remedy names. */
const MAX_LISTED_FIELDS = 8;

/** What to do about records, of which only fields with numbers can become columns. */
function recordsRemedy(header: string): string {
  const toColumns = (array: string): string =>
    `from numpy.lib import recfunctions; x = recfunctions.structured_to_unstructured(${array})`;
  const fields = [...header.matchAll(/\('([^'\\]+)', '[<>|=]?([a-zA-Z])\d*'/g)].map(([, name, kind]) => ({
    name: name!,
    isNumber: /[biuf]/.test(kind!),
  }));
  const numbers = fields.filter(({ isNumber }) => isNumber).map(({ name }) => JSON.stringify(name));
  if (fields.length === 0 || numbers.length === fields.length) return `Save the fields as columns: ${toColumns('a')}.`;
  if (numbers.length === 0) return 'Number the texts of a field: np.unique(a["name"], return_inverse=True)[1].';
  const chosen =
    numbers.length <= MAX_LISTED_FIELDS
      ? `[${numbers.join(', ')}]`
      : '[name for name in a.dtype.names if a[name].dtype.kind in "biuf"]';
  return `Save the fields with numbers as columns: ${toColumns(`a[${chosen}]`)}.`;
}

/** @param type as in the header; undefined for a list of fields */
function dtypeError(file: DataFile, at: OptionPath, type: string | undefined, header: string): DataError {
  if (type === undefined)
    return fileError(file, at, 'its entries are records of several fields', recordsRemedy(header), 'unread-type');
  const kind = /[a-zA-Z]/.exec(type)?.[0] ?? '';
  const [what, remedy] = Object.hasOwn(typeRemedies, kind)
    ? typeRemedies[kind]!
    : [undefined, 'Save it as float32: x.astype("float32").'];
  return fileError(
    file,
    at,
    `its entries are ${what === undefined ? 'of a type that is not read' : what} (${JSON.stringify(type.slice(0, 40))})`,
    remedy,
    'unread-type',
  );
}
