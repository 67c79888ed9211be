// A helping thread: waits for engagements and serves each until it is over. Asleep unless there is work.
import { parentPort } from 'node:worker_threads';
import { type Engagement, serve } from '../engine/kernels/team';

parentPort?.on('message', (message: Engagement | 'end') => {
  // Between engagements, never within one: whoever has taken a piece of work is waited for.
  if (message === 'end') parentPort?.close();
  else serve(message);
});
