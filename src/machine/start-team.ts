// Starts the threads that help with large products: as many as the machine has cores to give.
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Engagement, type Helper, Team } from '../engine/kernels/team';

/** More threads than these wait for each other's memory. */
const MOST_THREADS = 4;
/** A thread holds on to memories that it has left until it cleans up, and address space is finite. */
const ENGAGEMENTS_OF_A_THREAD = 32;

/** The bundle of thread.ts, beside the bundle that this is in. */
const FILE = path.join(__dirname, 'engine-thread.js');

/** Threads to compute with, the caller's own among them: NABLASCOPE_THREADS, or one a core, but four at most. */
export function threadCount(wanted = process.env.NABLASCOPE_THREADS): number {
  const count = Number(wanted);
  if (wanted && Number.isInteger(count) && count >= 1) return Math.min(count, 64);
  return Math.min(MOST_THREADS, os.availableParallelism());
}

/** Nothing is started before there is something large to do, and a process does not stay for it. */
export function startTeam(threads = threadCount(), file = FILE): Team {
  return new Team(Array.from({ length: threads - 1 }, () => helper(file)));
}

function helper(file: string): Helper {
  let worker: Worker | null = null;
  let engagements = 0;
  /** Where no thread can be started, or it was ended, the others do its work. */
  let impossible = false;

  const start = (): Worker => {
    const started = new Worker(file);
    started.unref();
    started.on('error', () => {
      impossible = true;
    });
    return started;
  };
  return {
    engage(engagement: Engagement) {
      if (impossible) return;
      if (engagements++ % ENGAGEMENTS_OF_A_THREAD === 0) {
        worker?.postMessage('end');
        worker = start();
      }
      worker?.postMessage(engagement);
    },
    end() {
      impossible = true;
      worker?.postMessage('end');
      worker = null;
    },
  };
}
