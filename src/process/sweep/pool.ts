// Threads that do the runs of a sweep side by side. A run that ends its thread is reported for that run; the others go on
// with a thread of their own, and the next run gets a new one.
import { Worker } from 'node:worker_threads';
import type { Trained } from '../../sweep/train-run';
import { OUT_OF_MEMORY } from '../words';
import type { FromWorker, Task } from './messages';

export type Done =
  | { readonly kind: 'trained'; readonly trained: Trained; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly message: string };

export interface PoolEvents {
  began(task: number): void;
  progress(task: number, step: number, total: number): void;
  done(task: number, done: Done): void;
}

export interface PoolOptions {
  /** sweep-worker.js. */
  readonly file: string;
  /** Threads at most. */
  readonly workers: number;
  /** Megabytes of JavaScript objects of a thread; tensors lie outside of it. */
  readonly heap?: number;
}

const HEAP = 2048;

export class Pool {
  readonly #options: PoolOptions;
  /** Those that have not ended. */
  readonly #running = new Set<Worker>();
  #cancelled = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Does every task, in their order as threads become free. Settles when all are done, or when it is cancelled. */
  async run(tasks: readonly Task[], events: PoolEvents): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      let worker: Worker | null = null;
      while (next < tasks.length && !this.#cancelled) {
        const task = next++;
        // A thread may have ended after what it did last.
        if (!worker || !this.#running.has(worker)) worker = this.#start();
        events.began(task);
        const { done, alive } = await once(worker, tasks[task], (step, total) => events.progress(task, step, total));
        if (this.#cancelled) break;
        events.done(task, done);
        if (!alive) await this.#end(worker);
      }
      if (worker) await this.#end(worker);
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.workers, tasks.length) }, lane));
  }

  /** Ends what runs at once; what it had done is lost. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    await Promise.all([...this.#running].map((worker) => this.#end(worker)));
  }

  #start(): Worker {
    const { file, heap = HEAP } = this.#options;
    const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: heap } });
    // What a dying thread still has to say is nobody's error.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#running.delete(worker));
    this.#running.add(worker);
    return worker;
  }

  async #end(worker: Worker): Promise<void> {
    this.#running.delete(worker);
    await worker.terminate();
  }
}

function once(worker: Worker, task: Task, progress: (step: number, total: number) => void): Promise<{ readonly done: Done; readonly alive: boolean }> {
  return new Promise((resolve) => {
    const settle = (done: Done, alive: boolean): void => {
      worker.off('message', heard).off('error', failed).off('exit', ended);
      resolve({ done, alive });
    };
    const heard = (message: FromWorker): void => {
      if (message.type === 'progress') progress(message.step, message.total);
      else if (message.type === 'refused') settle({ kind: 'failed', message: message.message }, true);
      else settle({ kind: 'trained', trained: message.trained, milliseconds: message.milliseconds }, true);
    };
    const failed = (error: NodeJS.ErrnoException): void =>
      settle({ kind: 'failed', message: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? OUT_OF_MEMORY : `The run failed: ${error.message}` }, false);
    const ended = (code: number): void => settle({ kind: 'failed', message: `The run ended by itself with exit code ${code}.` }, false);
    worker.on('message', heard).on('error', failed).on('exit', ended);
    worker.postMessage(task);
  });
}
