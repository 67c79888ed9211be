// Limits the time for observation to a small share, which accumulates for a short while. Expensive probes run less
// often, so training with all views open is nearly as fast as with none.

/** Share of the total time: a twentieth of what training alone takes. */
const OVERHEAD_SHARE = 1 / 21;
/** Maximum number of milliseconds that accumulate: enough to observe a short run completely. */
const MAX_BALANCE_MS = 100;

export class OverheadBudget {
  #balance = MAX_BALANCE_MS;
  #accruedAt: number;

  /** @param now milliseconds since an arbitrary origin */
  constructor(readonly now: () => number) {
    this.#accruedAt = now();
  }

  /** Whether enough time has accumulated since the last observation. */
  get isAvailable(): boolean {
    const now = this.now();
    this.#balance = Math.min(MAX_BALANCE_MS, this.#balance + OVERHEAD_SHARE * (now - this.#accruedAt));
    this.#accruedAt = now;
    return this.#balance > 0;
  }

  /** Records the time that an observation took. */
  spend(milliseconds: number): void {
    this.#balance -= Math.max(0, milliseconds);
  }
}
