// Starts a pool of worker threads for large products, as many as the machine has cores for.
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type WorkerContext, type PoolWorker, ThreadPool } from '../engine/kernels/thread-pool';

/** Further threads would mostly wait for memory. */
const MAX_THREADS = 4;
/** A thread keeps memories that it has detached from until garbage collection, and address space is limited. */
const ATTACHMENTS_PER_THREAD = 32;

/** The bundle of kernel-worker.ts, next to the current bundle. */
const WORKER_FILE = path.join(__dirname, 'engine-thread.js');

/** The number of threads, including the caller's own: NABLASCOPE_THREADS, or one per core, at most four. */
export function threadCount(requested = process.env.NABLASCOPE_THREADS): number {
  const count = Number(requested);
  if (requested && Number.isInteger(count) && count >= 1) return Math.min(count, 64);
  return Math.min(MAX_THREADS, os.availableParallelism());
}

/** Starts threads only when there is large work. They do not keep the process alive. */
export function startThreadPool(threads = threadCount(), file = WORKER_FILE): ThreadPool {
  return new ThreadPool(Array.from({ length: threads - 1 }, () => createPoolWorker(file)));
}

function createPoolWorker(file: string): PoolWorker {
  let worker: Worker | null = null;
  let attachments = 0;
  /** If no thread can be started, or it was terminated, the others do its work. */
  let isUnavailable = false;

  const start = (): Worker => {
    const started = new Worker(file);
    started.unref();
    started.on('error', () => {
      isUnavailable = true;
    });
    return started;
  };
  return {
    attach(context: WorkerContext) {
      if (isUnavailable) return;
      if (attachments++ % ATTACHMENTS_PER_THREAD === 0) {
        worker?.postMessage('terminate');
        worker = start();
      }
      worker?.postMessage(context);
    },
    terminate() {
      isUnavailable = true;
      worker?.postMessage('terminate');
      worker = null;
    },
  };
}
