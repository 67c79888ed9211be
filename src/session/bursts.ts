// Steps at which nothing happens but training, done in bursts: looking at the clock after each would take as long as a step
// of a small network.

/** Milliseconds that a burst takes, about: short beside what anybody waits for. */
const SHORT = 0.1;
const LONG = 0.4;
const MOST = 1024;

/** How many steps there are after `step` until one at which something happens: at multiples of the periods, and at the target. */
export const quietSteps = (step: number, target: number, periods: readonly number[]): number =>
  Math.min(target, ...periods.map((period) => (Math.floor(step / period) + 1) * period)) - step - 1;

export class Bursts {
  /** Milliseconds of a step in the last burst. */
  usual = 0;
  #size = 1;

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {}

  /** Does at most so many steps. @param train does some of so many, and returns how many; 0 to stop. @returns whether it was not stopped */
  run(most: number, train: (most: number) => number): boolean {
    const steps = Math.min(most, this.#size);
    const start = this.now();
    for (let left = steps; left > 0; ) {
      const done = train(left);
      if (done === 0) return false;
      left -= done;
    }
    const elapsed = this.now() - start;
    this.usual = elapsed / steps;
    if (elapsed > LONG) this.#size = Math.max(1, this.#size >> 1);
    else if (elapsed < SHORT && steps === this.#size) this.#size = Math.min(MOST, 2 * this.#size);
    return true;
  }
}
