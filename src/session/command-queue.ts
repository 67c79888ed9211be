// Executes commands one after the other. Some first cancel the current work.

/** Work that a later command may cancel. */
export interface Job {
  cancelled: boolean;
  readonly done: Promise<void>;
}

export class CommandQueue {
  #job: Job | null = null;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param onIdle called when work was cancelled for a command that then failed */
  constructor(readonly onIdle: () => void) {}

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The current work, if any. */
  get job(): Job | null {
    return this.#job;
  }

  /** Queues a command. @param interrupt whether to cancel the current work first */
  enqueue(run: () => Promise<void> | void, interrupt: boolean): Promise<void> {
    if (interrupt) this.#cancelJob();
    const result = this.#tail.then(async () => {
      if (interrupt) {
        this.#cancelJob();
        await this.#job?.done;
      }
      if (this.#closed) return;
      try {
        await run();
      } catch (error) {
        if (interrupt && !this.#job) this.onIdle();
        throw error;
      }
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Starts work that later commands may cancel. */
  startJob(run: (job: Job) => Promise<void>): Job {
    const job = { cancelled: false } as { cancelled: boolean; done: Promise<void> };
    this.#job = job;
    job.done = run(job).finally(() => {
      if (this.#job === job) this.#job = null;
    });
    return job;
  }

  /** Cancels all work and accepts no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelJob();
    await this.#tail;
    await this.#job?.done;
  }

  #cancelJob(): void {
    if (this.#job) this.#job.cancelled = true;
  }
}
