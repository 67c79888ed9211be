// How fast a run goes: the limit that somebody set to be able to watch, and the speed that is reached.

// A pause, a question or a sign of life is due at least this often, however slow the pace.
const LONGEST_WAIT_MS = 100;
const RATE_WINDOW_MS = 500;

export class Pace {
  /** Steps per second over the last window; null at rest and until the first window is over. */
  rate: number | null = null;
  #limit: number | null = null;
  #origin = { at: 0, step: 0 };
  #window = { at: 0, step: 0 };

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {}

  /** Whether there is a limit. */
  get limited(): boolean {
    return this.#limit !== null;
  }

  /** @param stepsPerSecond null for as fast as it goes. */
  setLimit(stepsPerSecond: number | null, step: number): void {
    if (stepsPerSecond !== null && !(stepsPerSecond > 0)) {
      throw new RangeError(`a speed is a number of steps per second above 0, not ${stepsPerSecond}`);
    }
    this.#limit = stepsPerSecond;
    this.#origin = { at: this.now(), step };
  }

  /** A run begins at this step. */
  start(step: number): void {
    this.rate = null;
    this.#origin = { at: this.now(), step };
    this.#window = this.#origin;
  }

  /** Milliseconds until the step after `step` is due; 0 when it is. */
  wait(step: number): number {
    if (this.#limit === null) return 0;
    const due = this.#origin.at + ((step + 1 - this.#origin.step) * 1000) / this.#limit;
    return Math.min(LONGEST_WAIT_MS, Math.max(0, due - this.now()));
  }

  /** Measures the speed; called now and then with the step reached. No step yet at a slow pace is no speed of 0. */
  measure(step: number): void {
    const elapsed = this.now() - this.#window.at;
    const slow = step === this.#window.step && this.#limit !== null && elapsed < 2000 / this.#limit;
    if (elapsed < RATE_WINDOW_MS || slow) return;
    this.rate = ((step - this.#window.step) * 1000) / elapsed;
    this.#window = { at: this.now(), step };
  }
}
