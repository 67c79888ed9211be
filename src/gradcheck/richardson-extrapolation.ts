// Central differences of one entry at many step sizes, a factor of four apart: the estimate with the best agreement,
// and an error bar from the disagreement.
import type { LossSlice } from './loss-slice';

/** Ratio of neighboring steps. */
export const STEP_RATIO = 4;

export interface Estimate {
  readonly value: number;
  /** A bound of its error, from neighboring steps and round-off. */
  readonly errorBar: number;
  /** The smaller of its two steps. */
  readonly step: number;
  /** The difference between the derivatives on the right and on the left, at that step. */
  readonly jump: number;
  /** The one-sided derivatives. */
  readonly left: number;
  readonly right: number;
}

interface StepDifference {
  readonly step: number;
  readonly slope: number;
  readonly left: number;
  readonly right: number;
}

export class RichardsonExtrapolation {
  /** In ascending order of the step. */
  readonly #differences: StepDifference[] = [];
  /** Whether any step crossed a kink. */
  crossedKink = false;

  /**
   * @param loss the loss at the entry's own value
   * @param noise a bound of the round-off in any value of the loss
   */
  constructor(
    readonly slice: LossSlice,
    readonly loss: number,
    readonly noise: number,
  ) {}

  get size(): number {
    return this.#differences.length;
  }

  /** Adds a step at either end; false if it crosses a kink or its loss is not finite. */
  addStep(step: number): boolean {
    const { slice, loss } = this;
    const low = slice.start - step;
    const high = slice.start + step;
    const below = slice.lossAt(low);
    let crossed = slice.crossedKink();
    const above = slice.lossAt(high);
    crossed ||= slice.crossedKink();
    if (crossed) this.crossedKink = true;
    const slope = (above - below) / (high - low);
    if (crossed || !Number.isFinite(slope)) return false;
    const difference = {
      step,
      slope,
      left: (loss - below) / (slice.start - low),
      right: (above - loss) / (high - slice.start),
    };
    if (this.#differences.length > 0 && step < this.#differences[0]!.step) this.#differences.unshift(difference);
    else this.#differences.push(difference);
    return true;
  }

  /** The estimate with the smallest error bar; undefined with fewer than two steps. */
  bestEstimate(): Estimate | undefined {
    let best: Estimate | undefined;
    for (let i = 0; i + 1 < this.#differences.length; i++) {
      const value = this.#extrapolate(i);
      // A difference that round-off reduces to 0 looks exact but is not: a longer step with a nonzero difference is
      // better.
      if (this.#differences[i]!.slope === 0 && this.#differences[i + 1]!.slope !== 0) continue;
      let errorBar = 0;
      if (i > 0) errorBar = Math.max(errorBar, Math.abs(value - this.#extrapolate(i - 1)));
      if (i + 2 < this.#differences.length) errorBar = Math.max(errorBar, Math.abs(value - this.#extrapolate(i + 1)));
      if (this.#differences.length === 2) errorBar = Math.abs(value - this.#differences[i]!.slope);
      const { step, left, right } = this.#differences[i]!;
      errorBar += this.noise / step;
      if (!best || errorBar < best.errorBar)
        best = { value, errorBar, step, jump: Math.abs(right - left), left, right };
    }
    return best;
  }

  /** The central difference at the smallest step; NaN without any step. */
  get finestDerivative(): number {
    return this.#differences[0]?.slope ?? NaN;
  }

  /** The difference between the one-sided derivatives at the smallest step. */
  finestStep(): { readonly step: number; readonly jump: number } | undefined {
    const difference = this.#differences[0];
    return difference && { step: difference.step, jump: Math.abs(difference.right - difference.left) };
  }

  /** Richardson extrapolation from steps i and i + 1, which cancels the error of order h². */
  #extrapolate(i: number): number {
    const fine = this.#differences[i]!.slope;
    return fine + (fine - this.#differences[i + 1]!.slope) / (STEP_RATIO * STEP_RATIO - 1);
  }
}
