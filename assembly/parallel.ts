// Work that threads share. A job is split into chunks by its size alone, so no bit depends on the number of threads or
// on which of them computed a chunk. The calling thread computes chunks as well, and never waits for one that was not
// started: a thread that sleeps, or is not there yet, costs time and nothing else.
import { runChunk } from './run-chunk';
import { setScratch } from './scratch';

/** Cells of shared memory, one cache line each. */
const CELLS: usize = 2048;
/**
 * Chunks that have not been taken, negative if more were requested; the upper half counts those that the calling thread
 * took.
 */
const REMAINING: usize = CELLS;
/** Takes one chunk and counts it for the calling thread. */
const TAKE_FIRST: i64 = (1 << 32) - 1;
const DONE: usize = CELLS + 64;
/** Increases with every job, and whenever threads must check for work. */
const GENERATION: usize = CELLS + 128;
const SLEEPING: usize = CELLS + 192;
/** Chunks that worker threads computed. */
const WORKER_CHUNKS: usize = CELLS + 320;
/** The current attachment of threads to this memory; 0 for none. */
const ATTACHMENT: usize = CELLS + 256;

/**
 * How often a thread polls a cell before it sleeps: some 0.2 ms, longer than the gap between two products of a step.
 */
const SPIN_LIMIT: i32 = 200000;
/** How often a thread polls for another's last chunk before it yields. */
const YIELD_AFTER_SPINS: i32 = 20000;

/** Computes chunks 0 to `count` - 1 of the current job, together with other threads if `parallel`. */
export function parallelFor(count: i32, parallel: bool): void {
  if (!parallel || count == 1 || atomic.load<i32>(ATTACHMENT) == 0) {
    for (let i = 0; i < count; i++) runChunk(i);
    return;
  }
  atomic.store<i32>(DONE, 0);
  atomic.store<i64>(REMAINING, count);
  wake();
  takeChunks(false);
  let spins = 0;
  for (;;) {
    const done = atomic.load<i32>(DONE);
    if (done == count) return;
    // The other thread may have lost its core: sleeping briefly lets it use this one.
    if (++spins > YIELD_AFTER_SPINS) atomic.wait<i32>(DONE, done, 50000);
  }
}

/**
 * Takes chunks until none is left. The job stays unchanged until they are done. The calling thread starts at the first
 * chunk and workers at the last, so that a part of memory stays with the same core across jobs.
 */
function takeChunks(isWorker: bool): void {
  for (;;) {
    const cell = isWorker ? atomic.sub<i64>(REMAINING, 1) : atomic.add<i64>(REMAINING, TAKE_FIRST);
    const left = <i32>cell;
    if (left <= 0) return;
    const own = <i32>(cell >> 32);
    runChunk(isWorker ? own + left - 1 : own);
    if (isWorker) atomic.add<i32>(WORKER_CHUNKS, 1);
    atomic.add<i32>(DONE, 1);
  }
}

function wake(): void {
  atomic.add<i32>(GENERATION, 1);
  if (atomic.load<i32>(SLEEPING) > 0) atomic.notify(GENERATION, -1);
}

/** From now on, threads that serve this attachment take part, and those of another one leave. 0 means none. */
export function attach(attachment: i32): void {
  atomic.store<i32>(ATTACHMENT, attachment);
  wake();
}

/** Runs in a worker thread as long as the attachment lasts. Sleeps while there is no work. */
export function runWorker(attachment: i32, scratch: usize): void {
  setScratch(scratch);
  for (;;) {
    const generation = atomic.load<i32>(GENERATION);
    if (atomic.load<i32>(ATTACHMENT) != attachment) return;
    takeChunks(true);
    let spins = SPIN_LIMIT;
    while (spins > 0 && atomic.load<i32>(GENERATION) == generation) spins--;
    if (spins > 0) continue;
    atomic.add<i32>(SLEEPING, 1);
    atomic.wait<i32>(GENERATION, generation, -1);
    atomic.sub<i32>(SLEEPING, 1);
  }
}

export function workerChunkCount(): i32 {
  return atomic.load<i32>(WORKER_CHUNKS);
}

export function sleepingWorkers(): i32 {
  return atomic.load<i32>(SLEEPING);
}
