// The tensors in a .safetensors file. Source: Hugging Face's description of the format: eight bytes with the length of
// the JSON header (little-endian), the header, then the bytes of the tensors.
import { numel, type Tensor } from '../kernels/tensor';
import { type ArrayFile, type Dtype, dtypeBytes, fileError, validateArrayFile, wrongKindError } from './array-file';
import { type DataError, type OptionPath, unknownNameError } from './data-error';
import type { DataFile } from './data-file';
import { decodeUtf8 } from './npz-archive';

const LENGTH_BYTES = 8;
/** Bytes; enough for thousands of tensors. The format itself allows 100 MB. */
const MAX_HEADER_BYTES = 2 ** 23;

const dtypes: Readonly<Record<string, Dtype>> = {
  BOOL: 'bool',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
  U8: 'uint8',
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export class SafetensorsFile {
  readonly #header: Readonly<Record<string, unknown>>;
  /** Byte offset of the first tensor. */
  readonly #start: number;

  /** @throws DataError */
  constructor(
    readonly file: DataFile,
    readonly at: OptionPath,
  ) {
    const remedy = 'Save the tensors with safetensors.numpy.save_file.';
    if (file.size === 0) throw fileError(file, at, 'it is empty');
    if (file.size < LENGTH_BYTES)
      throw wrongKindError(file, at, 'it is not a .safetensors file: it is too short', remedy);
    const start = file.read(0, LENGTH_BYTES);
    const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
    if (length > BigInt(Math.min(MAX_HEADER_BYTES, file.size - LENGTH_BYTES))) {
      throw wrongKindError(
        file,
        at,
        `it is not a .safetensors file, or truncated: its header would have ${length} of ${file.size} bytes`,
        remedy,
      );
    }
    const header = parseHeader(file.read(LENGTH_BYTES, Number(length)));
    if (!header)
      throw wrongKindError(file, at, 'it is not a .safetensors file: its header is not a JSON object', remedy);
    this.#header = header;
    this.#start = LENGTH_BYTES + Number(length);
  }

  /** Names of all tensors. */
  get names(): readonly string[] {
    return Object.keys(this.#header).filter((key) => key !== '__metadata__');
  }

  /** @throws DataError */
  tensor(name: string, at: OptionPath): ArrayFile {
    const { file } = this;
    if (name === '__metadata__' || !Object.hasOwn(this.#header, name)) throw this.#unknownTensor(name, at);
    const part = `${file.name}, ${name}`;
    const fail = (what: string, remedy?: string, code?: string): DataError =>
      fileError({ ...file, name: part }, at, what, remedy, code);
    const { dtype, shape, data_offsets: offsets } = (this.#header[name] ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isCount) || shape.length > 32)
      throw fail('its header lacks a type and a shape');
    if (!Object.hasOwn(dtypes, dtype)) {
      throw fail(
        `its numbers have the type ${JSON.stringify(dtype.slice(0, 40))}, which is not supported`,
        /^C\d+$/.test(dtype)
          ? 'Save real and imaginary parts: torch.view_as_real(x), or np.stack([x.real, x.imag], axis=-1).'
          : 'Save it as float32: x.astype("float32"), in PyTorch x.float().',
        'unread-type',
      );
    }
    const [begin, end] = Array.isArray(offsets) ? (offsets as readonly unknown[]) : [];
    if (!isCount(begin) || !isCount(end) || begin > end || this.#start + end > file.size)
      throw fail(`its header places it outside of the ${file.size} bytes of the file`);
    const other = this.#overlapping(name, begin, end);
    if (other !== undefined) throw fail(`its bytes overlap with those of ${JSON.stringify(other)}`);
    const type = dtypes[dtype]!;
    const bytes = numel(shape) * dtypeBytes(type);
    if (end - begin !== bytes)
      throw fail(`it has ${end - begin} bytes, but ${shape.join('×')} numbers of type ${type} take ${bytes}`);
    return validateArrayFile({
      file: filePart(file, part, this.#start + begin, bytes),
      at,
      dtype: type,
      littleEndian: true,
      fortranOrder: false,
      shape,
      offset: 0,
    });
  }

  /** The name of another tensor in the same bytes, which the format forbids. */
  #overlapping(name: string, begin: number, end: number): string | undefined {
    return Object.entries(this.#header).find(([key, tensor]) => {
      if (key === name || key === '__metadata__') return false;
      const { data_offsets: offsets } = (tensor ?? {}) as Readonly<Record<string, unknown>>;
      const [from, to] = Array.isArray(offsets) ? (offsets as readonly unknown[]) : [];
      return isCount(from) && isCount(to) && Math.max(from, begin) < Math.min(to, end);
    })?.[0];
  }

  #unknownTensor(name: string, at: OptionPath): DataError {
    const names = Object.keys(this.#header).filter((key) => key !== '__metadata__' && key !== '');
    return unknownNameError(this.file.name, 'tensor', name, names, at, 'unknown-array');
  }
}

function parseHeader(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A byte range of a file, as a file. */
const filePart = (file: DataFile, name: string, start: number, size: number): DataFile => ({
  name,
  size,
  chunkBytes: file.chunkBytes,
  get bytesRead() {
    return file.bytesRead;
  },
  read(offset, length) {
    if (offset < 0 || length < 0 || offset + length > size) throw new RangeError(`${name} ends before that`);
    return file.read(start + offset, length);
  },
  text: () => {
    throw new Error('text is read from whole files only');
  },
});

/** The bytes of a file with these tensors, in their precision. The header is padded to a multiple of eight bytes. */
export function writeSafetensors(tensors: readonly (Tensor & { readonly name: string })[]): Uint8Array {
  let offset = 0;
  const header = JSON.stringify(
    Object.fromEntries(
      tensors.map(({ name, shape, data }) => {
        const begin = offset;
        offset += data.byteLength;
        const dtype = data instanceof Float64Array ? 'F64' : 'F32';
        return [name, { dtype, shape, data_offsets: [begin, offset] }];
      }),
    ),
  );
  // JSON can write every character in ASCII.
  const ascii = header.replace(/[^ -~]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const text = Uint8Array.from(ascii, (each) => each.charCodeAt(0));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + padded + offset).fill(0x20, LENGTH_BYTES, LENGTH_BYTES + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, LENGTH_BYTES);
  let to = LENGTH_BYTES + padded;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to);
    to += data.byteLength;
  }
  return file;
}
