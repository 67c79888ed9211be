// A worker thread of the pool: waits for networks to attach to, and serves each until it is detached. Sleeps unless
// there is work.
import { parentPort } from 'node:worker_threads';
import { type WorkerContext, runWorker } from '../engine/kernels/thread-pool';

parentPort?.on('message', (message: WorkerContext | 'terminate') => {
  // Handled only between attachments: other threads wait for a worker that has taken a piece of work.
  if (message === 'terminate') parentPort?.close();
  else runWorker(message);
});

export {};
