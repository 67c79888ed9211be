// Shortcuts rely on what layers declare. So every check also evaluates a random sample of entries, and the first ones
// that would be called wrong, with full forward passes.
import type { Comparison, Verdict } from '../protocol/check-report';
import { Random } from '../engine/random';
import type { EntryLossSlice } from './entry-loss-slice';
import { stepScale, type VerdictPolicy } from './verdict-policy';

/** Random entries per parameter, and as many wrong ones. */
const SAMPLES_PER_PARAMETER = 8;
/** Two derivatives may differ by this share of the largest one, besides round-off. */
const TOLERANCE = 1e-9;
/** Round-off of two differences of two losses each, in units of the bound for one loss. */
const ROUND_OFF_FACTOR = 4;

/** The losses one step above and below an entry's value. */
export interface LossPair {
  readonly above: number;
  readonly below: number;
}

export class FastPathValidator {
  readonly #random: Random;
  #entries = 0;
  #largestDifference = 0;
  #agreed = true;
  /** For the current parameter: the sampled positions, entries seen so far, and wrong ones still to compare. */
  #sampledPositions: ReadonlySet<number> = new Set();
  #seen = 0;
  #wrongBudget = 0;
  #largestDerivative = 0;

  constructor(seed: number) {
    this.#random = new Random(seed, 'gradient check: sample');
  }

  /** Draws the sample of the next parameter. */
  beginParameter(name: string, entries: number): void {
    const random = this.#random.stream(name);
    this.#sampledPositions = new Set(Array.from({ length: SAMPLES_PER_PARAMETER }, () => random.integerBelow(entries)));
    this.#seen = 0;
    this.#wrongBudget = SAMPLES_PER_PARAMETER;
  }

  /** Whether to validate the entry that was just judged. */
  shouldValidate(hasFastPath: boolean, verdict: Verdict, { numeric }: VerdictPolicy): boolean {
    this.#largestDerivative = Math.max(this.#largestDerivative, Number.isFinite(numeric) ? Math.abs(numeric) : 0);
    const isSampled = this.#sampledPositions.has(this.#seen++);
    return hasFastPath && (isSampled || (verdict === 'wrong' && this.#wrongBudget-- > 0));
  }

  /** False if the full forward pass gives the entry another derivative. @param losses from each shortcut */
  validate(
    { full: fullForward }: EntryLossSlice,
    losses: readonly LossPair[],
    { options, noise }: VerdictPolicy,
  ): boolean {
    this.#entries++;
    const step = options.step * stepScale(fullForward.start);
    const [low, high] = [fullForward.start - step, fullForward.start + step];
    const fullDerivative = (fullForward.lossAt(high) - fullForward.lossAt(low)) / (high - low);
    for (const { above, below } of losses) {
      const fastDerivative = (above - below) / (high - low);
      // Both may end in infinity or NaN.
      if (
        Object.is(fastDerivative, fullDerivative) ||
        (!Number.isFinite(fastDerivative) && !Number.isFinite(fullDerivative))
      )
        continue;
      const difference = Math.abs(fastDerivative - fullDerivative);
      this.#largestDifference = Math.max(this.#largestDifference, difference);
      this.#agreed &&= difference <= TOLERANCE * this.#largestDerivative + (ROUND_OFF_FACTOR * noise) / step;
    }
    return this.#agreed;
  }

  report(): Comparison {
    return { entries: this.#entries, largestDifference: this.#largestDifference, agreed: this.#agreed };
  }
}
