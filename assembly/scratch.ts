// Memory that a thread works in by itself: copies of a product's factors, counters. The first thread's lies ahead of
// all tensors; another thread is told where its own is.

/** A panel of a, 6 rows of 1 KB, and behind it a tile; a block of b. */
const ROOM_A: usize = 8 * 1024;
const ROOM_B: usize = 256 * 1024;
export const SCRATCH_SIZE: usize = ROOM_A + ROOM_B;
const FIRST: usize = 4096;
export const SCRATCH_END: usize = FIRST + SCRATCH_SIZE;

let start: usize = FIRST;

export function useScratch(at: usize): void {
  start = at;
}

// @ts-ignore: decorator
@inline
export function copyOfA(): usize {
  return start;
}

/** A tile of the result of which not all is wanted. */
// @ts-ignore: decorator
@inline
export function edgeTile(): usize {
  return start + 6 * 1024;
}

// @ts-ignore: decorator
@inline
export function copyOfB(): usize {
  return start + ROOM_A;
}

/** Part of an image or what lies under its windows, at most 128 KB; what belongs to it lies in as much ahead of it, where copies of b are otherwise. */
// @ts-ignore: decorator
@inline
export function unfolded(): usize {
  return start + ROOM_A + ROOM_B / 2;
}
