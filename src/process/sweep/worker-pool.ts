// Threads that train the runs of a sweep in parallel. A run that ends its thread is reported; the others continue in
// their threads, and the next run gets a new one.
import { Worker } from 'node:worker_threads';
import { OUT_OF_MEMORY_MESSAGE } from '../exit-cause';
import type { Task, TrainedRun, WorkerMessage } from './messages';

export type TaskResult =
  ({ readonly kind: 'trained' } & TrainedRun) | { readonly kind: 'failed'; readonly message: string };

export interface WorkerPoolEvents {
  started(task: number): void;
  progress(task: number, step: number, total: number): void;
  finished(task: number, done: TaskResult): void;
}

export interface WorkerPoolOptions {
  /** sweep-worker.js. */
  readonly workerFile: string;
  /** Maximum number of threads. */
  readonly maxWorkers: number;
  /** Megabytes of JavaScript objects per thread, without tensors. */
  readonly heapMb?: number;
}

const DEFAULT_HEAP_MB = 2048;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  /** Workers that have not ended. */
  readonly #workers = new Set<Worker>();
  #isCancelled = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Runs every task, in order, as threads become free. Resolves when all are done or cancelled. */
  async run(tasks: readonly Task[], events: WorkerPoolEvents): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      let worker: Worker | null = null;
      while (next < tasks.length && !this.#isCancelled) {
        const task = next++;
        // A thread may have ended after its last task.
        if (!worker || !this.#workers.has(worker)) worker = this.#start();
        events.started(task);
        const { done, alive } = await runTask(worker, tasks[task]!, (step, total) =>
          events.progress(task, step, total),
        );
        if (this.#isCancelled) break;
        events.finished(task, done);
        if (!alive) await this.#terminate(worker);
      }
      if (worker) await this.#terminate(worker);
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.maxWorkers, tasks.length) }, lane));
  }

  /** Ends running tasks at once; their progress is lost. */
  async cancel(): Promise<void> {
    this.#isCancelled = true;
    await Promise.all([...this.#workers].map((worker) => this.#terminate(worker)));
  }

  #start(): Worker {
    const { workerFile, heapMb = DEFAULT_HEAP_MB } = this.#options;
    const worker = new Worker(workerFile, { resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    // Errors of a thread that is being terminated are ignored.
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#workers.delete(worker));
    this.#workers.add(worker);
    return worker;
  }

  async #terminate(worker: Worker): Promise<void> {
    this.#workers.delete(worker);
    await worker.terminate();
  }
}

function runTask(
  worker: Worker,
  task: Task,
  onProgress: (step: number, total: number) => void,
): Promise<{ readonly done: TaskResult; readonly alive: boolean }> {
  return new Promise((resolve) => {
    const settle = (done: TaskResult, alive: boolean): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      resolve({ done, alive });
    };
    const onMessage = (message: WorkerMessage): void => {
      if (message.type === 'progress') onProgress(message.step, message.total);
      else if (message.type === 'invalid') settle({ kind: 'failed', message: message.message }, !message.ends);
      else {
        const { trained, milliseconds, data } = message;
        settle({ kind: 'trained', trained, milliseconds, data }, true);
      }
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(
        {
          kind: 'failed',
          message:
            error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? OUT_OF_MEMORY_MESSAGE : `The run failed: ${error.message}`,
        },
        false,
      );
    const onExit = (code: number): void =>
      settle({ kind: 'failed', message: `The run exited with code ${code}.` }, false);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(task);
  });
}
