// The positions of the hits of one breakpoint, in order, so that going back and on counts none twice. Hits at equal
// distances, such as one in every step, are kept as one run of positions.

/** Runs of positions that are kept: at least twice as many hits, in some 100 MB. */
const MAX_RUNS = 2e6;

interface EvenRun {
  readonly first: number;
  stride: number;
  count: number;
  /** Hits before the run. */
  readonly before: number;
}

const lastOf = ({ first, stride, count }: EvenRun): number => first + stride * (count - 1);

export class HitPositions {
  #runs: EvenRun[] = [];
  /** Positions up to this one are not known, only their number. */
  #forgottenTo = -1;
  readonly #maxRuns: number;

  /** @param maxRuns beyond this, the earliest positions are forgotten, and only counted */
  constructor(maxRuns = MAX_RUNS) {
    this.#maxRuns = maxRuns;
  }

  /** Which hit a position is, from 1; null if it is none, or was forgotten. */
  indexOf(position: number): number | null {
    const run = this.#runs[this.#find(position)];
    if (!run || position > lastOf(run) || (position - run.first) % run.stride !== 0) return null;
    return run.before + (position - run.first) / run.stride + 1;
  }

  /** Adds the position of a hit, unless it is known. @returns which hit it is, from 1; null if that was forgotten */
  add(position: number): number | null {
    const last = this.#runs.at(-1);
    if (!last || position > lastOf(last)) return this.#append(position);
    if (position <= this.#forgottenTo) return null;
    const known = this.indexOf(position);
    if (known !== null) return known;
    const later = this.#runs.splice(this.#find(position) + 1);
    const around = this.#runs.at(-1);
    if (around && lastOf(around) > position) {
      const { first, stride, count } = around;
      around.count = Math.floor((position - first) / stride) + 1;
      later.unshift({ first: first + stride * around.count, stride, count: count - around.count, before: 0 });
    }
    const index = this.#append(position);
    for (const run of later) this.#runs.push({ ...run, before: this.#total });
    return index;
  }

  /** Drops the positions after this one. */
  truncate(position: number): void {
    this.#runs.length = this.#find(position) + 1;
    const last = this.#runs.at(-1);
    if (last && lastOf(last) > position) last.count = Math.floor((position - last.first) / last.stride) + 1;
    if (position < this.#forgottenTo) this.#forgottenTo = -1;
  }

  get #total(): number {
    const last = this.#runs.at(-1);
    return last ? last.before + last.count : 0;
  }

  #append(position: number): number {
    const last = this.#runs.at(-1);
    if (last?.count === 1) last.stride = position - last.first;
    if (last && position === lastOf(last) + last.stride) last.count++;
    else this.#runs.push({ first: position, stride: 1, count: 1, before: this.#total });
    if (this.#runs.length > this.#maxRuns) {
      const forgotten = this.#runs.splice(0, this.#maxRuns >> 1);
      this.#forgottenTo = lastOf(forgotten.at(-1)!);
    }
    return this.#total;
  }

  /** The index of the last run that begins at or before a position; -1 for none. */
  #find(position: number): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#runs[middle]!.first <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
