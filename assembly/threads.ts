// Work that threads share. A job is cut into pieces by its size alone, so no bit depends on how many threads there are
// or on which of them did a piece. Whoever has the job does pieces as well and never waits for one that nobody began:
// a thread that sleeps, or is not there yet, costs time and nothing else.
import { piece } from './jobs';
import { useScratch } from './scratch';

/** Cells of the memory that all threads see, a cache line each. */
const CELLS: usize = 2048;
/** Pieces that nobody has taken, below 0 where more was asked for; in the upper half how many whoever has the job took. */
const LEFT: usize = CELLS;
/** One fewer left, one more of one's own. */
const OWN: i64 = (1 << 32) - 1;
const DONE: usize = CELLS + 64;
/** Rises with every job, and whenever the threads shall look up. */
const TURN: usize = CELLS + 128;
const SLEEPERS: usize = CELLS + 192;
/** Pieces that others than the one with the job did. */
const HELPED: usize = CELLS + 320;
/** Which engagement of threads this memory has; 0 for none. */
const ENGAGEMENT: usize = CELLS + 256;

/** Looks at a cell until a thread sleeps: some 0.2 ms, longer than what lies between two products of a step. */
const PATIENCE: i32 = 200000;
/** Looks until a thread that waits for another's last piece gives way to it. */
const GIVE_WAY: i32 = 20000;

/** Carries out pieces 0 to `count` - 1 of the job that is described; together with others where it is `worth` it. */
export function share(count: i32, worth: bool): void {
  if (!worth || count == 1 || atomic.load<i32>(ENGAGEMENT) == 0) {
    for (let i = 0; i < count; i++) piece(i);
    return;
  }
  atomic.store<i32>(DONE, 0);
  atomic.store<i64>(LEFT, count);
  wake();
  takePieces(false);
  let looks = 0;
  for (;;) {
    const done = atomic.load<i32>(DONE);
    if (done == count) return;
    // The other may have lost its processor: a moment's sleep lets it have this one.
    if (++looks > GIVE_WAY) atomic.wait<i32>(DONE, done, 50000);
  }
}

/**
 * Takes pieces until none is left. What is taken stays described until it is done. Who has the job begins at the first piece
 * and helpers at the last, so that a part of memory stays with the same core from job to job.
 */
function takePieces(helping: bool): void {
  for (;;) {
    const cell = helping ? atomic.sub<i64>(LEFT, 1) : atomic.add<i64>(LEFT, OWN);
    const left = <i32>cell;
    if (left <= 0) return;
    const own = <i32>(cell >> 32);
    piece(helping ? own + left - 1 : own);
    if (helping) atomic.add<i32>(HELPED, 1);
    atomic.add<i32>(DONE, 1);
  }
}

function wake(): void {
  atomic.add<i32>(TURN, 1);
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(TURN, -1);
}

/** From now on threads that serve this engagement take part; those of another one leave. 0: alone. */
export function engage(engagement: i32): void {
  atomic.store<i32>(ENGAGEMENT, engagement);
  wake();
}

/** What a thread does for as long as the engagement lasts. It sleeps while there is nothing to do. */
export function serve(engagement: i32, scratch: usize): void {
  useScratch(scratch);
  for (;;) {
    const turn = atomic.load<i32>(TURN);
    if (atomic.load<i32>(ENGAGEMENT) != engagement) return;
    takePieces(true);
    let looks = PATIENCE;
    while (looks > 0 && atomic.load<i32>(TURN) == turn) looks--;
    if (looks > 0) continue;
    atomic.add<i32>(SLEEPERS, 1);
    atomic.wait<i32>(TURN, turn, -1);
    atomic.sub<i32>(SLEEPERS, 1);
  }
}

export function helped(): i32 {
  return atomic.load<i32>(HELPED);
}

export function sleepers(): i32 {
  return atomic.load<i32>(SLEEPERS);
}
