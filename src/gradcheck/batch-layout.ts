// Where the numbers of perturbed copies are in memory. Numbers that are no longer needed give their place to others, so
// that little memory is used, and stays in a near cache.

/** Numbers of every copy, one copy after the other. The offset counts those that one copy has before them. */
export interface Slot {
  readonly offset: number;
  readonly size: number;
}

/** Whole cache lines. */
const rounded = (size: number): number => Math.ceil(size / 8) * 8;

export class BatchLayout {
  /** Numbers of one copy in all slots. */
  size = 0;
  readonly #free = new Map<number, Slot[]>();

  take(size: number): Slot {
    const free = this.#free.get(rounded(size))?.pop();
    return free ? { offset: free.offset, size } : this.takeForever(size);
  }

  /** For numbers that stay from call to call: nothing else was or will be there. */
  takeForever(size: number): Slot {
    const slot = { offset: this.size, size };
    this.size += rounded(size);
    return slot;
  }

  release(slot: Slot): void {
    const free = this.#free.get(rounded(slot.size));
    if (free) free.push(slot);
    else this.#free.set(rounded(slot.size), [slot]);
  }
}
