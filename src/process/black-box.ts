// A small file in which the worker notes which code of the user's own it runs. When the whole process dies, of memory
// or of a signal, nobody in it can say so any more; the host finds it there.
import fs from 'node:fs';
import type { LayerCall } from '../engine/custom/fault';

/** Code of the user's own, by name. */
export interface NamedCode {
  /** The layer's name in the spec. */
  readonly layer: string;
  readonly call: LayerCall;
  /** Absolute. */
  readonly file: string;
}

/** Bytes of a note. */
const ROOM = 4096;
/** Workers that write to one file: the one that computes, and the one that is to follow it. */
const SLOTS = 2;

const note = (text: string): Buffer => {
  const bytes = Buffer.alloc(ROOM, ' ');
  bytes.write(text, 0, ROOM, 'utf8');
  return bytes;
};

const NOTHING = note('');

export class BlackBox {
  readonly #file: number;
  readonly #notes = new Map<string, Buffer>();
  readonly #at: number;

  /** @param worker its number, counted up. */
  constructor(file: string, worker: number) {
    this.#file = fs.openSync(file, 'r+');
    this.#at = (worker % SLOTS) * ROOM;
  }

  enter(code: NamedCode): void {
    const key = `${code.layer}\n${code.call}`;
    let bytes = this.#notes.get(key);
    if (!bytes) this.#notes.set(key, (bytes = note(JSON.stringify(code))));
    this.#write(bytes);
  }

  leave(): void {
    this.#write(NOTHING);
  }

  #write(bytes: Buffer): void {
    fs.writeSync(this.#file, bytes, 0, ROOM, this.#at);
  }
}

/** Makes the file; nothing runs yet. */
export function makeBlackBox(file: string): void {
  fs.writeFileSync(file, Buffer.concat(Array.from({ length: SLOTS }, () => NOTHING)), { mode: 0o600 });
}

/** What ran when the process died; null where it was none of the user's code. The file is gone afterwards. */
export function openBlackBox(file: string): NamedCode | null {
  try {
    const text = fs.readFileSync(file, 'utf8');
    fs.rmSync(file, { force: true });
    const found = /\{.*?\} /.exec(text)?.[0];
    return found === undefined ? null : (JSON.parse(found) as NamedCode);
  } catch {
    return null;
  }
}
