// The loss as a function of one entry, with everything else fixed: all that a verdict depends on. How the loss is
// computed is an implementation detail.

export interface LossSlice {
  /** The entry's own value. */
  readonly start: number;
  /** The loss with the entry set to `value`. */
  lossAt(value: number): number;
  /** Whether the last `lossAt` was on the other side of a kink than the start, or either was on one. */
  crossedKink(): boolean;
  /**
   * From now on, keeps the inputs of layers with kinks `distance` away from kinks on or near which they lie: each on
   * its own side, those exactly on a kink on `side`. Distance 0 ends this.
   * @returns how many were exactly on one
   */
  nudgeOffKinks(distance: number, side: 1 | -1): number;
}
