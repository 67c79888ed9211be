// Stores runs on disk across window reloads, one file per spec. A crash while it is written leaves the old one. It
// holds a digest, so that a damaged one is detected.
import type { RunRecord } from '../../protocol/run-record';
import { createHash, webcrypto } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import v8 from 'node:v8';
import { replaceFile } from '../../data-files/replace-file';
import type { HistoryData } from '../../history/history';

export interface StoredRun {
  readonly record: RunRecord;
  readonly history: HistoryData;
}

export type RunLoadResult =
  { readonly kind: 'found'; readonly run: StoredRun } | { readonly kind: 'none' } | { readonly kind: 'damaged' };

// Changes with the shape of StoredRun; files of other versions are not read.
const MAGIC = Buffer.from('nablascope run 2\n');
const DIGEST_BYTES = 32;
const WRITE_DELAY_MS = 1000;

/** Only the newest of a key is written. */
interface PendingWrite {
  capture: () => StoredRun;
  timer: NodeJS.Timeout;
}

export class RunStore {
  readonly #pending = new Map<string, PendingWrite>();
  readonly #writing = new Map<string, Promise<void>>();

  /**
   * @param folder created when first needed.
   * @param onError receives failed writes; the run itself continues.
   */
  constructor(
    readonly folder: string,
    readonly onError: (error: unknown) => void,
  ) {}

  /** Writes the result of `capture` within a second. @param key the URI of the spec */
  scheduleSave(key: string, capture: () => StoredRun): void {
    const pending = this.#pending.get(key);
    if (pending) {
      pending.capture = capture;
      return;
    }
    const timer = setTimeout(() => void this.flush(key), WRITE_DELAY_MS);
    this.#pending.set(key, { capture, timer });
  }

  /** Writes pending state now. */
  async flush(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending) {
      clearTimeout(pending.timer);
      this.#pending.delete(key);
      const previous = this.#writing.get(key) ?? Promise.resolve();
      const writing = previous
        .then(() => this.#write(key, pending.capture()))
        .catch(this.onError)
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

  async load(key: string): Promise<RunLoadResult> {
    await this.flush(key);
    let bytes: Buffer;
    try {
      bytes = await fs.readFile(this.filePath(key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.onError(error);
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

  async delete(key: string): Promise<void> {
    const pending = this.#pending.get(key);
    if (pending) clearTimeout(pending.timer);
    this.#pending.delete(key);
    await this.#writing.get(key);
    await fs.rm(this.filePath(key), { force: true }).catch(this.onError);
  }

  filePath(key: string): string {
    return path.join(this.folder, `run-${createHash('sha256').update(key).digest('hex').slice(0, 16)}.bin`);
  }

  async #write(key: string, run: StoredRun): Promise<void> {
    const payload = v8.serialize(run);
    const file = this.filePath(key);
    await fs.mkdir(this.folder, { recursive: true });
    await replaceFile(file, Buffer.concat([MAGIC, await digest(payload), payload]));
  }
}

/** Computed off the event loop. */
async function digest(bytes: Buffer): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes));
}
