// The loss as a function of one entry, all else held: everything that judging an entry may ask. What
// stands behind it, and by which shortcut it is computed, is not the judge's business.

export interface LossLine {
  /** The entry's own value. */
  readonly start: number;
  /** The loss with the entry at `value`. */
  at(value: number): number;
  /** Whether the last `at` lay on the other side of a kink than the start does, or either lay on one. */
  crossed(): boolean;
  /**
   * From now on the inputs of kinked layers are held `distance` away from the kinks that they lie on or next
   * to: each on its own side, those exactly on a kink on `side`. Distance 0 ends it.
   * @returns how many lay exactly on one.
   */
  nudge(distance: number, side: 1 | -1): number;
}
