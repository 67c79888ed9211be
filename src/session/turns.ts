// Commands are carried out one after the other; some first end the work that is under way.
import type { Job } from './drive';

export class Turns {
  #job: Job | null = null;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param rested what was interrupted for a command that was then refused has come to rest all the same. */
  constructor(readonly rested: () => void) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** The work that is under way, if any. */
  get job(): Job | null {
    return this.#job;
  }

  /** Waits for its turn. @param interrupt ends what is under way first */
  take(work: () => Promise<void> | void, interrupt: boolean): Promise<void> {
    if (interrupt) this.#cancel();
    const result = this.#queue.then(async () => {
      if (interrupt) {
        this.#cancel();
        await this.#job?.done;
      }
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        if (interrupt && !this.#job) this.rested();
        throw error;
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Work that a later command may cut short. */
  begin(work: (job: Job) => Promise<void>): Job {
    const job = { cancelled: false } as { cancelled: boolean; done: Promise<void> };
    this.#job = job;
    job.done = work(job).finally(() => {
      if (this.#job === job) this.#job = null;
    });
    return job;
  }

  /** Ends all work, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#queue;
    await this.#job?.done;
  }

  #cancel(): void {
    if (this.#job) this.#job.cancelled = true;
  }
}
