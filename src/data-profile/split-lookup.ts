// Which split a sample is in, without an index of all samples: there may be many millions.
import { SPLIT_NAMES, type SplitName } from '../protocol/position';

export class SplitLookup {
  readonly #splits: readonly Uint32Array[];
  /** For each split, the position of its first sample that is not below the one looked up last. */
  readonly #places: number[];
  #last = -1;

  /** @param split samples in ascending order */
  constructor(split: Readonly<Record<SplitName, Uint32Array>>) {
    this.#splits = SPLIT_NAMES.map((name) => split[name]);
    this.#places = this.#splits.map(() => 0);
  }

  /** The split of a sample; null if it is in none. Consecutive samples take constant time. */
  find(sample: number): SplitName | null {
    const index = this.findIndex(sample);
    return SPLIT_NAMES[index] ?? null;
  }

  /** The place of the split in SPLIT_NAMES, and their number for none. */
  findIndex(sample: number): number {
    const isNext = sample === this.#last + 1;
    this.#last = sample;
    let found: number = SPLIT_NAMES.length;
    for (let i = 0; i < SPLIT_NAMES.length; i++) {
      const samples = this.#splits[i]!;
      let place = this.#places[i]!;
      if (!isNext) place = lowerBound(samples, sample);
      else if (samples[place]! < sample) place++;
      this.#places[i] = place;
      if (samples[place] === sample) found = i;
    }
    return found;
  }
}

/** The place of the first value that is not below `wanted`. */
function lowerBound(ascending: Uint32Array, wanted: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
