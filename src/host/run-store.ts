// Keeps runs on disk over a window reload, one file a spec. Written beside and renamed, so that a crash
// leaves the old one; read with a digest, so that a damaged one is told from a good one.
import { createHash, webcrypto } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import v8 from 'node:v8';
import type { HistoryData } from '../history/history';
import type { RunRecord } from '../session/record';

export interface StoredRun {
  readonly record: RunRecord;
  readonly history: HistoryData;
}

export type LoadedStore =
  | { readonly kind: 'found'; readonly run: StoredRun }
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged' };

// Changes with the shape of StoredRun: what another version wrote is not understood.
const MAGIC = Buffer.from('nablascope run 2\n');
const DIGEST_BYTES = 32;
const WRITE_MS = 1000;

/** Something to be written soon; only the newest of a key counts. */
interface Pending {
  make: () => StoredRun;
  timer: NodeJS.Timeout;
}

export class RunStore {
  readonly #pending = new Map<string, Pending>();
  readonly #writing = new Map<string, Promise<void>>();

  /**
   * @param folder made when first needed.
   * @param fail told of what could not be written; the run itself goes on.
   */
  constructor(
    readonly folder: string,
    readonly fail: (error: unknown) => void,
  ) {}

  /** Writes what `make` gives within a second; `key` is the address of the spec. */
  keep(key: string, make: () => StoredRun): void {
    const pending = this.#pending.get(key);
    if (pending) {
      pending.make = make;
      return;
    }
    const timer = setTimeout(() => void this.flush(key), WRITE_MS);
    this.#pending.set(key, { make, timer });
  }

  /** Writes at once what waits for it. */
  async flush(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending) {
      clearTimeout(pending.timer);
      this.#pending.delete(key);
      const before = this.#writing.get(key) ?? Promise.resolve();
      const writing = before
        .then(() => this.#write(key, pending.make()))
        .catch(this.fail)
        .finally(() => {
          if (this.#writing.get(key) === writing) this.#writing.delete(key);
        });
      this.#writing.set(key, writing);
    }
    await this.#writing.get(key);
  }

  async flushAll(): Promise<void> {
    await Promise.all([...new Set([...this.#pending.keys(), ...this.#writing.keys()])].map((key) => this.flush(key)));
  }

  async load(key: string): Promise<LoadedStore> {
    await this.flush(key);
    let bytes: Buffer;
    try {
      bytes = await fs.readFile(this.fileOf(key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.fail(error);
      return { kind: 'none' };
    }
    const header = MAGIC.length + DIGEST_BYTES;
    const payload = bytes.subarray(header);
    if (bytes.length < header || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: 'damaged' };
    if (!(await digest(payload)).equals(bytes.subarray(MAGIC.length, header))) return { kind: 'damaged' };
    try {
      return { kind: 'found', run: v8.deserialize(payload) as StoredRun };
    } catch {
      return { kind: 'damaged' };
    }
  }

  async forget(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending) clearTimeout(pending.timer);
    this.#pending.delete(key);
    await this.#writing.get(key);
    await fs.rm(this.fileOf(key), { force: true }).catch(this.fail);
  }

  fileOf(key: string): string {
    return path.join(this.folder, `run-${createHash('sha256').update(key).digest('hex').slice(0, 16)}.bin`);
  }

  async #write(key: string, run: StoredRun): Promise<void> {
    const payload = v8.serialize(run);
    const file = this.fileOf(key);
    const beside = `${file}.${process.pid}.tmp`;
    await fs.mkdir(this.folder, { recursive: true });
    await fs.writeFile(beside, Buffer.concat([MAGIC, await digest(payload), payload]));
    await fs.rename(beside, file);
  }
}

/** Computed off the event loop. */
async function digest(bytes: Buffer): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes));
}
