// Splits large messages into chunks, so that none blocks a channel for long, and assembles them where they arrive.
// The receiver sees the whole message or nothing.
import { messageSize } from './message-size';

/** Bytes of a chunk by `messageSize`; with the envelope of a remote call it stays below 100 KB. */
export const MAX_CHUNK_BYTES = 98_000;
/** Part of them that describes the chunk itself. */
const ENVELOPE_BYTES = 200;
/** Messages up to this size are sent whole: a forwarded chunk with the call around it is. */
export const MAX_MESSAGE_BYTES = MAX_CHUNK_BYTES + 300;

/** A value at a path of the message. A string or typed array is appended to the one that is already there. */
export type ChunkEntry = readonly [at: readonly (string | number)[], value: unknown];

export interface Chunk {
  readonly type: 'chunk';
  readonly first: boolean;
  readonly last: boolean;
  readonly entries: readonly ChunkEntry[];
}

/** The message itself if it is small enough, otherwise its chunks. */
export function splitMessage<Message>(message: Message, maxBytes = MAX_CHUNK_BYTES): readonly (Message | Chunk)[] {
  if (messageSize(message) <= maxBytes) return [message];
  const room = maxBytes - ENVELOPE_BYTES;
  const chunks: ChunkEntry[][] = [[]];
  let size = 0;
  const add = (entry: ChunkEntry, more: number): void => {
    if (size + more > room && size > 0) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(entry);
    size += more;
  };
  const walk = (path: ChunkEntry[0], value: unknown): void => {
    // JSON omits it in an object; here it would become null.
    if (value === undefined) return;
    const whole = messageSize([path, value]);
    if (size + whole <= room) add([path, value], whole);
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      const empty: ChunkEntry = [path, Array.isArray(value) ? [] : {}];
      add(empty, messageSize(empty));
      if (Array.isArray(value)) value.forEach((each, i) => walk([...path, i], each));
      else for (const [key, each] of Object.entries(value)) walk([...path, key], each);
    } else if (whole > room && isSplittable(value)) {
      for (const each of sliceValue(value, room - (whole - messageSize(value))))
        add([path, each], messageSize([path, each]));
    } else add([path, value], whole);
  };
  walk([], message);
  return chunks.map((entries, i): Chunk => ({ type: 'chunk', first: i === 0, last: i === chunks.length - 1, entries }));
}

/**
 * Takes the chunks of `splitMessage` in order.
 * @param deliver receives each complete message, and its chunks for forwarding
 */
export function createAssembler<Message>(
  deliver: (message: Message, chunks: readonly (Message | Chunk)[]) => Promise<void> | void,
): (arrived: Message | Chunk) => Promise<void> {
  /** Null until a first chunk arrives: the rest of a message that began earlier is skipped. */
  let partial: { readonly root: { message?: unknown }; readonly chunks: Chunk[] } | null = null;
  return async (arrived) => {
    if (!isChunk(arrived)) return deliver(arrived, [arrived]);
    if (arrived.first) partial = { root: {}, chunks: [] };
    if (!partial) return;
    const { root, chunks } = partial;
    chunks.push(arrived);
    for (const [at, value] of arrived.entries) setAtPath(root, ['message', ...at], value);
    if (!arrived.last) return;
    partial = null;
    await deliver(root.message as Message, chunks);
  };
}

type TypedArray = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;
type SplittableValue = string | TypedArray;

const isChunk = (message: unknown): message is Chunk => (message as { type?: unknown } | null)?.type === 'chunk';
const isSplittable = (value: unknown): value is SplittableValue =>
  typeof value === 'string' || ArrayBuffer.isView(value);

function sliceValue(value: SplittableValue, room: number): SplittableValue[] {
  // A character takes at most six bytes.
  const length =
    typeof value === 'string' ? Math.floor(room / 6) : Math.floor((room - ENVELOPE_BYTES) / value.BYTES_PER_ELEMENT);
  return Array.from({ length: Math.ceil(value.length / length) }, (_, i) => value.slice(i * length, (i + 1) * length));
}

function setAtPath(root: object, path: readonly (string | number)[], value: unknown): void {
  let host = root as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) host = host[key] as typeof host;
  const key = path.at(-1)!;
  const before = host[key];
  host[key] = isSplittable(before) && isSplittable(value) ? concatValues(before, value) : copyIfEmpty(value);
}

/** Later entries fill an empty container; the chunk itself must stay as it arrived. */
function copyIfEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : value;
  const isEmpty = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !hasKeys(value);
  return isEmpty ? {} : value;
}

function hasKeys(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

function concatValues(before: SplittableValue, value: SplittableValue): SplittableValue {
  if (typeof before === 'string' || typeof value === 'string') return `${String(before)}${String(value)}`;
  const both = new (before.constructor as new (length: number) => TypedArray)(before.length + value.length);
  both.set(before);
  both.set(value, before.length);
  return both;
}
