// The scratch memory of a thread: copies of a product's factors, and counters. The first thread's is before all
// tensors; other threads receive the address of theirs.

/** A panel of a, 6 rows of 1 KB, followed by a tile; a block of b. */
const PACKED_A_BYTES: usize = 8 * 1024;
const PACKED_B_BYTES: usize = 256 * 1024;
export const SCRATCH_SIZE: usize = PACKED_A_BYTES + PACKED_B_BYTES;
const FIRST: usize = 4096;
export const SCRATCH_END: usize = FIRST + SCRATCH_SIZE;

let start: usize = FIRST;

export function setScratch(at: usize): void {
  start = at;
}

// @ts-ignore: decorator
@inline
export function packedA(): usize {
  return start;
}

/** A tile of the result that is only partly needed. */
// @ts-ignore: decorator
@inline
export function edgeTile(): usize {
  return start + 6 * 1024;
}

// @ts-ignore: decorator
@inline
export function packedB(): usize {
  return start + PACKED_A_BYTES;
}

/**
 * Part of an image, or its patches, at most 128 KB. The data that belongs to it is before it, in memory otherwise used
 * for copies of b.
 */
// @ts-ignore: decorator
@inline
export function im2colBuffer(): usize {
  return start + PACKED_A_BYTES + PACKED_B_BYTES / 2;
}
