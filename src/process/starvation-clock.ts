// How long a thread could not run although it wanted to, because other programs used the processor. That time is not
// blamed on the code that the thread runs.
import fs from 'node:fs';

/** The share of the time without processor use that counts as waiting by choice. */
const IDLE_SHARE = 1 / 4;

/**
 * @param readThreadId the thread, as Linux numbers it; 0 if unknown
 * @returns a function of the milliseconds since its last call: how many of these the thread was starved. Linux counts
 * them. Elsewhere, they are at most what the whole process did not compute.
 */
export function createStarvationClock(readThreadId: () => number): (elapsed: number) => number {
  let lastWait = 0;
  let lastCpu = 0;
  return (elapsed) => {
    const wait = readRunQueueWait(readThreadId());
    if (wait !== null) {
      const starved = wait - lastWait;
      lastWait = wait;
      return Math.max(0, Math.min(elapsed, starved));
    }
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / 1000;
    const used = cpu - lastCpu;
    lastCpu = cpu;
    return Math.max(0, elapsed - Math.max(used, elapsed * IDLE_SHARE));
  };
}

/** This thread, as Linux numbers it; 0 elsewhere. */
export function currentThreadId(): number {
  try {
    return Number(/\/task\/(\d+)$/.exec(fs.readlinkSync('/proc/thread-self'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Milliseconds that a thread has waited for a processor since its start; null if the system does not say. */
function readRunQueueWait(threadId: number): number | null {
  if (threadId === 0) return null;
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, and the number of time slices.
    const [ran, waited] = fs.readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8').split(' ').map(Number);
    return ran! > 0 ? waited! / 1e6 : null;
  } catch {
    return null;
  }
}
