// Checks specs for the Test Explorer, one after the other, in an engine process of its own: the run of an open panel
// stands as it is. The process ends when nothing was asked of it for a while.
import { EngineClient } from '../../process/client';
import type { HostCalls, OpenResult } from '../../protocol/engine';
import type { CheckReport } from '../../gradcheck/report';
import type { RunPlace } from '../run-options';

export interface SpecToCheck {
  readonly text: string;
  readonly place: RunPlace;
}

export type Checked = Extract<OpenResult, { ok: true }> & { readonly report: CheckReport };

/** A check at the starting weights needs nothing to go back to. */
const CHECKPOINT_BYTES = 1;
const IDLE_MS = 10_000;

export class CheckEngine {
  readonly #file: string;
  #client: EngineClient | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #died: string | null = null;
  #progress: ((checked: number, entries: number) => void) | null = null;

  /** @param file dist/engine-process.js */
  constructor(file: string) {
    this.#file = file;
  }

  /** What the spec is made of. Rejects with a sentence where the engine died of it. */
  describe(spec: SpecToCheck): Promise<OpenResult> {
    return this.#inTurn(() => this.#open(spec));
  }

  /**
   * Checks every gradient at the starting weights, on the first batch.
   * @param cancelled settles when nobody wants to know any more: then the report is of what was checked.
   */
  check(spec: SpecToCheck, cancelled: Promise<void>, progress: (checked: number, entries: number) => void): Promise<Checked | Extract<OpenResult, { ok: false }>> {
    return this.#inTurn(async () => {
      const opened = await this.#open(spec);
      if (!opened.ok) return opened;
      const { calls } = this.#started();
      void cancelled.then(() => calls.cancelCheck()).catch(() => undefined);
      this.#progress = progress;
      const report = await calls.check();
      this.#progress = null;
      return { ...opened, report };
    });
  }

  dispose(): void {
    clearTimeout(this.#idle);
    void this.#client?.dispose();
    this.#client = null;
  }

  #open({ text, place }: SpecToCheck): Promise<OpenResult> {
    return this.#started().calls.open({ text, folder: place.folder, root: place.root, checkpointBudget: CHECKPOINT_BYTES });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    const result = this.#queue.then(async () => {
      try {
        return await work();
      } catch (error) {
        throw this.#died === null ? error : new Error(this.#died);
      } finally {
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => this.dispose(), IDLE_MS);
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #started(): EngineClient {
    if (this.#client) return this.#client;
    const host: HostCalls = {
      frame: async () => undefined,
      checkProgress: (checked, entries) => this.#progress?.(checked, entries),
      checked: () => undefined,
      checkpoint: () => undefined,
      loading: () => undefined,
      fault: () => undefined,
      log: () => undefined,
    };
    this.#died = null;
    this.#client = new EngineClient({
      file: this.#file,
      host,
      onExit: (reason) => {
        this.#died = reason;
        this.#client = null;
      },
    });
    return this.#client;
  }
}
