// Checkpoints in bounded memory, however long the run is. Half of the budget holds a grid over the whole run whose
// interval doubles when it is full. The other half holds the newest checkpoints, so that stepping back near the present
// is cheap even for a large network.
import type { Checkpoint } from '../protocol/run-record';
import type { Tensor } from '../engine/kernels/tensor';

/** Bytes. */
export const DEFAULT_BUDGET = 64 * 2 ** 20;

// Enough for many steps back without replaying; more would only slow down the search.
const MAX_RECENT = 64;

/** Multiply-adds between two checkpoints, which replay in a few milliseconds. Rounding up can double them. */
const REPLAY_MACS = 2e6;

/** These multiply-adds take 50 times as long as copying a byte, so copying takes about 2 % of the time. */
const MACS_PER_COPIED_BYTE = 170;

/**
 * The checkpoint interval in steps, a power of two.
 * @param macs multiply-adds per step
 * @param bytes size of a checkpoint
 */
export function chooseInterval(macs: number, bytes: number): number {
  const steps = Math.max(REPLAY_MACS, MACS_PER_COPIED_BYTE * bytes) / Math.max(1, macs);
  return 2 ** Math.max(0, Math.ceil(Math.log2(steps)));
}

/** @throws RangeError if the sizes of the checkpoint's tensors are not those of the state */
export function assertCompatible({ tensors }: Checkpoint, state: readonly Tensor[]): void {
  if (tensors.length !== state.length || state.some(({ data }, i) => data.length !== tensors[i]!.length)) {
    throw new RangeError('the checkpoint belongs to another model');
  }
}

const bytesOf = ({ tensors }: Checkpoint): number => tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

export class Checkpoints {
  readonly #grid = new Map<number, Checkpoint>();
  #recent: Checkpoint[] = [];
  #gridInterval: number;

  /**
   * @param budget maximum total size in bytes
   * @param interval initial distance of checkpoints in steps
   */
  constructor(
    readonly budget: number,
    readonly interval: number,
  ) {
    this.#gridInterval = interval;
  }

  /** Bytes in use, at most: a checkpoint in both halves counts twice. */
  get bytes(): number {
    return [...this.#grid.values(), ...this.#recent].reduce((sum, checkpoint) => sum + bytesOf(checkpoint), 0);
  }

  /** Whether to take a checkpoint after this step. Step 0 needs none: it follows from the seed. */
  isDue(step: number): boolean {
    if (step === 0 || step % this.interval !== 0 || this.#grid.has(step)) return false;
    return !this.#recent.some((checkpoint) => checkpoint.step === step);
  }

  /** The first step after this one at which a checkpoint may be due. */
  nextDueAfter(step: number): number {
    return step - (step % this.interval) + this.interval;
  }

  add(checkpoint: Checkpoint): void {
    const bytes = Math.max(1, bytesOf(checkpoint));
    const capacity = Math.floor(this.budget / 2 / bytes);
    this.#recent.push(checkpoint);
    if (this.#recent.length > Math.min(capacity, MAX_RECENT)) this.#recent.shift();
    if (checkpoint.step % this.#gridInterval !== 0) return;
    this.#grid.set(checkpoint.step, checkpoint);
    while (this.#grid.size > capacity) {
      this.#gridInterval *= 2;
      for (const step of this.#grid.keys())
        if (step % this.#gridInterval !== 0 || capacity === 0) this.#grid.delete(step);
    }
  }

  /** Inserts a checkpoint from elsewhere, at any step. May exceed the budget until the next `add`. */
  insert(checkpoint: Checkpoint): void {
    this.#grid.set(checkpoint.step, checkpoint);
  }

  /** Every checkpoint once, in ascending order. */
  get all(): Checkpoint[] {
    const copies = new Map(
      [...this.#grid.values(), ...this.#recent].map((checkpoint) => [checkpoint.step, checkpoint]),
    );
    return [...copies.values()].sort((a, b) => a.step - b.step);
  }

  /** The latest checkpoint at or before `step`. */
  nearest(step: number): Checkpoint | undefined {
    let best: Checkpoint | undefined;
    for (const checkpoint of this.#recent) {
      if (checkpoint.step <= step && checkpoint.step > (best?.step ?? -1)) best = checkpoint;
    }
    for (const checkpoint of this.#grid.values()) {
      if (checkpoint.step <= step && checkpoint.step > (best?.step ?? -1)) best = checkpoint;
    }
    return best;
  }

  /** Discards checkpoints after `step`. */
  truncate(step: number): void {
    for (const key of this.#grid.keys()) if (key > step) this.#grid.delete(key);
    this.#recent = this.#recent.filter((checkpoint) => checkpoint.step <= step);
  }
}
