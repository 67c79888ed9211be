// A small file in which the worker notes which custom layer is running. When the whole process dies, from lack of
// memory or a signal, nothing in it can report the cause, so the host reads it from this file.
import type { LayerCall } from '../protocol/problem';
import fs from 'node:fs';
import path from 'node:path';

/** A call of a custom layer, by name. */
export interface NamedLayerCall {
  /** The layer's name in the spec. */
  readonly layer: string;
  readonly call: LayerCall;
  /** Absolute path. */
  readonly file: string;
}

/** Bytes per slot. */
const SLOT_BYTES = 4096;
/** Workers that write to one file: the current one, and its successor. */
const SLOT_COUNT = 2;

const encodeSlot = (text: string): Buffer => {
  const bytes = Buffer.alloc(SLOT_BYTES, ' ');
  bytes.write(text, 0, SLOT_BYTES, 'utf8');
  return bytes;
};

const EMPTY_SLOT = encodeSlot('');
/** No layer is running, but some have run. */
const IDLE_MARK = '-';
const IDLE_SLOT = encodeSlot(IDLE_MARK);

export class CrashBreadcrumb {
  readonly #fd: number;
  readonly #encodedCalls = new Map<string, Buffer>();
  readonly #offset: number;

  /** @param workerNumber a counter of workers */
  constructor(file: string, workerNumber: number) {
    this.#fd = fs.openSync(file, 'r+');
    this.#offset = (workerNumber % SLOT_COUNT) * SLOT_BYTES;
  }

  enter(code: NamedLayerCall): void {
    const key = `${code.layer}\n${code.call}`;
    let bytes = this.#encodedCalls.get(key);
    if (!bytes) this.#encodedCalls.set(key, (bytes = encodeSlot(JSON.stringify(code))));
    this.#write(bytes);
  }

  leave(): void {
    this.#write(IDLE_SLOT);
  }

  #write(bytes: Buffer): void {
    fs.writeSync(this.#fd, bytes, 0, SLOT_BYTES, this.#offset);
  }
}

/**
 * Creates the file in a folder of its own, in the engine process. Fails if anything of that name exists, such as a
 * planted link.
 */
export function createBreadcrumbFile(file: string): void {
  fs.mkdirSync(path.dirname(file), { mode: 0o700 });
  const bytes = Buffer.concat(Array.from({ length: SLOT_COUNT }, () => EMPTY_SLOT));
  fs.writeFileSync(file, bytes, { mode: 0o600, flag: 'wx' });
}

/** What the file says of a process that has ended. */
export interface CrashReport {
  /** The layer call that was running. */
  readonly layerCall: NamedLayerCall | null;
  /** Whether custom layers had run in it. */
  readonly hasCustomLayers: boolean;
}

/** Reads and deletes the file and its folder. Called in the extension host. */
export async function consumeBreadcrumbFile(file: string): Promise<CrashReport> {
  try {
    const text = await fs.promises.readFile(file, 'utf8');
    await fs.promises.rm(path.dirname(file), { recursive: true, force: true });
    const found = /\{.*?\} /.exec(text)?.[0];
    return {
      layerCall: found === undefined ? null : (JSON.parse(found) as NamedLayerCall),
      hasCustomLayers: found !== undefined || text.includes(IDLE_MARK),
    };
  } catch {
    return { layerCall: null, hasCustomLayers: false };
  }
}
