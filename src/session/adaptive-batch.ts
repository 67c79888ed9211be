// Runs training steps in bursts, since reading the clock after each step of a small network would take as long as the
// step.

/** Approximate duration of a burst in milliseconds, short compared with any wait. */
const MIN_BATCH_MS = 0.1;
const MAX_BATCH_MS = 0.4;
const MAX_BATCH_STEPS = 1024;

/** The number of steps after `step` until the next event: at a multiple of one of the periods, or at the target. */
export const stepsUntilEvent = (step: number, target: number, periods: readonly number[]): number =>
  Math.min(target, ...periods.map((period) => (Math.floor(step / period) + 1) * period)) - step - 1;

export class AdaptiveBatch {
  /** Milliseconds per step in the last burst. */
  msPerStep = 0;
  #size = 1;

  /** @param now milliseconds since an arbitrary origin */
  constructor(readonly now: () => number) {}

  /**
   * Runs at most `maxSteps` steps.
   * @param train runs up to the given number of steps and returns how many; 0 stops
   * @returns false if it was stopped
   */
  run(maxSteps: number, train: (maxSteps: number) => number): boolean {
    const steps = Math.min(maxSteps, this.#size);
    const start = this.now();
    for (let left = steps; left > 0;) {
      const done = train(left);
      if (done === 0) return false;
      left -= done;
    }
    const elapsed = this.now() - start;
    this.msPerStep = elapsed / steps;
    if (elapsed > MAX_BATCH_MS) this.#size = Math.max(1, this.#size >> 1);
    else if (elapsed < MIN_BATCH_MS && steps === this.#size) this.#size = Math.min(MAX_BATCH_STEPS, 2 * this.#size);
    return true;
  }
}
