// A check by shortcuts trusts what layers say of themselves. So a random sample of entries, and the first ones
// that would be called wrong, are evaluated the plain way too, on every run.
import { Random } from '../engine/random';
import type { EntryLine } from './entry-line';
import { scaleOf, type Judge } from './judge';
import type { Comparison, Verdict } from './report';

/** Random entries of each parameter, and wrong ones as many. */
const SAMPLE = 8;
/** Largest difference of two derivatives as a share of the largest derivative, besides what round-off explains. */
const TOLERANCE = 1e-9;
/** Round-off of two differences of two losses each, in units of its bound in one. */
const ROUND_OFF = 4;

export class Comparer {
  readonly #random: Random;
  #entries = 0;
  #difference = 0;
  #agreed = true;
  /** Of the parameter at hand: which entries are drawn, how many have been seen, wrong ones still to be compared. */
  #drawn: ReadonlySet<number> = new Set();
  #seen = 0;
  #wrong = 0;
  #largest = 0;

  constructor(seed: number) {
    this.#random = new Random(seed, 'gradient check: sample');
  }

  /** Draws the entries of the next parameter. */
  begin(name: string, entries: number): void {
    const random = this.#random.stream(name);
    this.#drawn = new Set(Array.from({ length: SAMPLE }, () => random.below(entries)));
    this.#seen = 0;
    this.#wrong = SAMPLE;
  }

  /** Whether the next entry, which has a shorter way or not and was just judged, is to be compared. */
  chooses(carried: boolean, verdict: Verdict, { numeric }: Judge): boolean {
    this.#largest = Math.max(this.#largest, Number.isFinite(numeric) ? Math.abs(numeric) : 0);
    const drawn = this.#drawn.has(this.#seen++);
    return carried && (drawn || (verdict === 'wrong' && this.#wrong-- > 0));
  }

  /**
   * False where the chosen entry has another derivative the plain way.
   * @param above the loss a step above by the shorter way, and `below` it.
   */
  agrees({ plain: line }: EntryLine, above: number, below: number, { options, noise }: Judge): boolean {
    this.#entries++;
    const step = options.step * scaleOf(line.start);
    const [low, high] = [line.start - step, line.start + step];
    const short = (above - below) / (high - low);
    const plain = (line.at(high) - line.at(low)) / (high - low);
    const difference = Math.abs(short - plain);
    // Both ways may end in an infinity or NaN.
    if (Object.is(short, plain) || (!Number.isFinite(short) && !Number.isFinite(plain))) return true;
    this.#difference = Math.max(this.#difference, difference);
    this.#agreed = difference <= TOLERANCE * this.#largest + (ROUND_OFF * noise) / step;
    return this.#agreed;
  }

  report(): Comparison {
    return { entries: this.#entries, largestDifference: this.#difference, agreed: this.#agreed };
  }
}
