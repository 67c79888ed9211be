// Messages in parts: one that would hold up what else is on its way is cut, and put together again where it arrives, so that
// whoever reads it sees all of it or nothing.
import { sizeOf } from './size';

/** Bytes of a message on its way, by `sizeOf`. */
export const MOST_BYTES = 98_000;
/** Of them for what a part says of itself. */
const ENVELOPE = 200;

/** What stands at a place of the message, or goes on with what is already there. */
export type Piece = readonly [at: readonly (string | number)[], value: unknown];

export interface Part {
  readonly type: 'part';
  readonly first: boolean;
  readonly last: boolean;
  readonly pieces: readonly Piece[];
}

/** The message itself where it is small enough, or parts of it that are. */
export function cut<Message>(message: Message, most = MOST_BYTES): readonly (Message | Part)[] {
  if (sizeOf(message) <= most) return [message];
  const room = most - ENVELOPE;
  const parts: Piece[][] = [[]];
  let size = 0;
  const add = (piece: Piece, more: number): void => {
    if (size + more > room && size > 0) {
      parts.push([]);
      size = 0;
    }
    parts[parts.length - 1].push(piece);
    size += more;
  };
  const walk = (at: Piece[0], value: unknown): void => {
    // JSON leaves it out of an object, and would make null of it here.
    if (value === undefined) return;
    const whole = sizeOf([at, value]);
    if (size + whole <= room) add([at, value], whole);
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      const empty: Piece = [at, Array.isArray(value) ? [] : {}];
      add(empty, sizeOf(empty));
      if (Array.isArray(value)) value.forEach((each, i) => walk([...at, i], each));
      else for (const [key, each] of Object.entries(value)) walk([...at, key], each);
    } else if (whole > room && isLong(value)) {
      for (const each of inRuns(value, room - (whole - sizeOf(value)))) add([at, each], sizeOf([at, each]));
    } else add([at, value], whole);
  };
  walk([], message);
  return parts.map((pieces, i): Part => ({ type: 'part', first: i === 0, last: i === parts.length - 1, pieces }));
}

/** Takes what `cut` made, in its order. @param take gets each message once it is whole, or once it came as it is */
export function joining<Message>(take: (message: Message) => Promise<void> | void): (arrived: Message | Part) => Promise<void> {
  /** Null until a first part was heard: whoever came late waits for the next message. */
  let root: { message?: unknown } | null = null;
  return async (arrived) => {
    if (!isPart(arrived)) return take(arrived);
    if (arrived.first) root = {};
    if (!root) return;
    for (const [at, value] of arrived.pieces) put(root, ['message', ...at], value);
    if (!arrived.last) return;
    const { message } = root;
    root = null;
    await take(message as Message);
  };
}

type Numbers = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;
type Long = string | Numbers;

const isPart = (message: unknown): message is Part => (message as { type?: unknown } | null)?.type === 'part';
const isLong = (value: unknown): value is Long => typeof value === 'string' || ArrayBuffer.isView(value);

function inRuns(value: Long, room: number): Long[] {
  // A character takes six bytes at most; and what an array says of itself.
  const length = typeof value === 'string' ? Math.floor(room / 6) : Math.floor((room - ENVELOPE) / value.BYTES_PER_ELEMENT);
  return Array.from({ length: Math.ceil(value.length / length) }, (_, i) => value.slice(i * length, (i + 1) * length));
}

function put(root: object, at: readonly (string | number)[], value: unknown): void {
  let host = root as Record<string | number, unknown>;
  for (const key of at.slice(0, -1)) host = host[key] as typeof host;
  const key = at[at.length - 1];
  const before = host[key];
  host[key] = isLong(before) && isLong(value) ? goneOn(before, value) : value;
}

function goneOn(before: Long, value: Long): Long {
  if (typeof before === 'string' || typeof value === 'string') return `${String(before)}${String(value)}`;
  const both = new (before.constructor as new (length: number) => Numbers)(before.length + value.length);
  both.set(before);
  both.set(value, before.length);
  return both;
}
