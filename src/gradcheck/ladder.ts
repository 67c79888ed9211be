// Central differences of one entry at many step sizes, a factor of four apart: the estimate that they
// agree on best, and the error bar that their disagreement leaves.
import type { LossLine } from './line';

/** Ratio of neighbouring steps. */
export const RATIO = 4;

export interface Estimate {
  readonly value: number;
  /** Bound of its error as far as neighbouring steps and round-off tell. */
  readonly bar: number;
  /** The smaller of the two steps that it was made from. */
  readonly step: number;
  /** Jump between the slopes to the right and to the left of the entry, at that step. */
  readonly jump: number;
  /** The slopes themselves. */
  readonly left: number;
  readonly right: number;
}

interface Rung {
  readonly step: number;
  readonly slope: number;
  readonly left: number;
  readonly right: number;
}

export class Ladder {
  /** By rising step. */
  readonly #rungs: Rung[] = [];
  /** Whether any step crossed a kink. */
  crossed = false;

  /**
   * @param loss the loss at the entry's own value.
   * @param noise bound of the round-off in any value of the loss.
   */
  constructor(
    readonly line: LossLine,
    readonly loss: number,
    readonly noise: number,
  ) {}

  get size(): number {
    return this.#rungs.length;
  }

  /** Adds a step next to those there are; false where a kink or a value that is not finite is in the way. */
  add(step: number): boolean {
    const { line, loss } = this;
    const low = line.start - step;
    const high = line.start + step;
    const below = line.at(low);
    let crossed = line.crossed();
    const above = line.at(high);
    crossed ||= line.crossed();
    if (crossed) this.crossed = true;
    const slope = (above - below) / (high - low);
    if (crossed || !Number.isFinite(slope)) return false;
    const rung = {
      step,
      slope,
      left: (loss - below) / (line.start - low),
      right: (above - loss) / (high - line.start),
    };
    if (this.#rungs.length > 0 && step < this.#rungs[0].step) this.#rungs.unshift(rung);
    else this.#rungs.push(rung);
    return true;
  }

  /** The estimate with the least error bar; undefined with fewer than two steps. */
  best(): Estimate | undefined {
    let best: Estimate | undefined;
    for (let i = 0; i + 1 < this.#rungs.length; i++) {
      const value = this.#extrapolated(i);
      // Values that round-off holds in place look exact and are not: a longer step that moves tells more.
      if (this.#rungs[i].slope === 0 && this.#rungs[i + 1].slope !== 0) continue;
      let bar = 0;
      if (i > 0) bar = Math.max(bar, Math.abs(value - this.#extrapolated(i - 1)));
      if (i + 2 < this.#rungs.length) bar = Math.max(bar, Math.abs(value - this.#extrapolated(i + 1)));
      if (this.#rungs.length === 2) bar = Math.abs(value - this.#rungs[i].slope);
      const { step, left, right } = this.#rungs[i];
      bar += this.noise / step;
      if (!best || bar < best.bar) best = { value, bar, step, jump: Math.abs(right - left), left, right };
    }
    return best;
  }

  /** The central difference at the smallest step; NaN before there is one. */
  get slope(): number {
    return this.#rungs[0]?.slope ?? NaN;
  }

  /** The jump between the one-sided slopes at the smallest step. */
  smallest(): { readonly step: number; readonly jump: number } | undefined {
    const rung = this.#rungs[0];
    return rung && { step: rung.step, jump: Math.abs(rung.right - rung.left) };
  }

  /** Richardson's extrapolation from rungs i and i + 1: the error of order h² cancels. */
  #extrapolated(i: number): number {
    const fine = this.#rungs[i].slope;
    return fine + (fine - this.#rungs[i + 1].slope) / (RATIO * RATIO - 1);
  }
}
