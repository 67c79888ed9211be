// The speed of a run: the limit that the user set, and the measured rate.

// The event loop and the heartbeat need a turn at least this often, however low the limit.
const MAX_WAIT_MS = 100;
const RATE_WINDOW_MS = 500;

export class RateLimiter {
  /** Steps per second over the last window; null when idle and during the first window. */
  stepsPerSecond: number | null = null;
  #limit: number | null = null;
  #origin = { at: 0, step: 0 };
  #window = { at: 0, step: 0 };

  /** @param now milliseconds since an arbitrary origin */
  constructor(readonly now: () => number) {}

  /** Whether there is a limit. */
  get hasLimit(): boolean {
    return this.#limit !== null;
  }

  /** @param stepsPerSecond null for no limit */
  setLimit(stepsPerSecond: number | null, step: number): void {
    if (stepsPerSecond !== null && !(stepsPerSecond > 0)) {
      throw new RangeError(`a speed must be above 0 steps per second, not ${stepsPerSecond}`);
    }
    this.#limit = stepsPerSecond;
    this.#origin = { at: this.now(), step };
  }

  /** Starts measuring at this step. */
  start(step: number): void {
    this.stepsPerSecond = null;
    this.#origin = { at: this.now(), step };
    this.#window = this.#origin;
  }

  /** Milliseconds until the step after `step` is due; 0 if it is due now. */
  msUntilNextStep(step: number): number {
    if (this.#limit === null) return 0;
    const due = this.#origin.at + ((step + 1 - this.#origin.step) * 1000) / this.#limit;
    return Math.min(MAX_WAIT_MS, Math.max(0, due - this.now()));
  }

  /**
   * Measures the rate; called regularly with the current step. At a slow limit, no step in a window does not mean a
   * rate of 0.
   */
  updateMeasuredRate(step: number): void {
    const elapsed = this.now() - this.#window.at;
    const slow = step === this.#window.step && this.#limit !== null && elapsed < 2000 / this.#limit;
    if (elapsed < RATE_WINDOW_MS || slow) return;
    this.stepsPerSecond = ((step - this.#window.step) * 1000) / elapsed;
    this.#window = { at: this.now(), step };
  }
}
