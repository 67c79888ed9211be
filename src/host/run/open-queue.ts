// What a run has to open: one request at a time, and of those that come meanwhile only the latest. A request whose
// custom layers need permission stays here until the user allows them.
import type { SpecAnalysis } from './run-options';
import type { StoredRun } from './run-store';

export interface OpenTask {
  readonly analysis: SpecAnalysis;
  /** That of the editor when the task was queued. */
  readonly editorAnalysis: SpecAnalysis;
  /** Continue from here instead of starting a new run. */
  readonly restoreFrom: StoredRun | null;
  /** A notice for when the run has begun. */
  readonly message: string | null;
  /** Start training when the run has begun. */
  readonly autoRun: boolean;
}

export class OpenQueue {
  readonly #process: (task: OpenTask) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #pending: OpenTask | null = null;
  #blocked: OpenTask | null = null;
  #draining: Promise<void> | null = null;

  /** @param onError receives what `process` throws; later tasks are processed nevertheless. */
  constructor(process: (task: OpenTask) => Promise<void>, onError: (error: unknown) => void) {
    this.#process = process;
    this.#onError = onError;
  }

  /** Whether a task is being processed. */
  get isBusy(): boolean {
    return this.#draining !== null;
  }

  get hasPending(): boolean {
    return this.#pending !== null;
  }

  /** The task that waits for permission. */
  get blocked(): OpenTask | null {
    return this.#blocked;
  }

  async whenIdle(): Promise<void> {
    await this.#draining;
  }

  /** Settles when the queue is idle. */
  enqueue(task: OpenTask): Promise<void> {
    this.#pending = task;
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  /** Keeps a task until it is allowed; null once there is none. */
  block(task: OpenTask | null): void {
    this.#blocked = task;
  }

  /** Discards all tasks that have not begun. */
  clear(): void {
    this.#pending = null;
    this.#blocked = null;
  }

  async #drain(): Promise<void> {
    while (this.#pending !== null) {
      const task = this.#pending;
      this.#pending = null;
      try {
        await this.#process(task);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
