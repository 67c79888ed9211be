// Limits output by time: what is more than the budget of a second is counted and dropped.

const WINDOW_MS = 1000;

export class OutputBudget {
  readonly #now: () => number;
  readonly #max: number;
  #windowStart = -Infinity;
  #used = 0;
  #dropped = 0;

  /** @param max units per second, such as lines or characters */
  constructor(now: () => number, max: number) {
    this.#now = now;
    this.#max = max;
  }

  /** @returns how much of this may be written, and how much was dropped in earlier seconds and not yet reported */
  admit(amount: number): { readonly admitted: number; readonly dropped: number } {
    let dropped = 0;
    if (this.#now() - this.#windowStart >= WINDOW_MS) {
      dropped = this.#dropped;
      this.#dropped = 0;
      this.#used = 0;
      this.#windowStart = this.#now();
    }
    const admitted = Math.min(amount, this.#max - this.#used);
    this.#used += admitted;
    this.#dropped += amount - admitted;
    return { admitted, dropped };
  }
}
