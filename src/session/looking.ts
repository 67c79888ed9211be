// How much of the time looking may take: a small share, saved up for a moment. What takes longer is looked at less often,
// so that training with all views open is nearly as fast as with none.

/** Of the time that passes: a twentieth of what training alone would take. */
const SHARE = 1 / 21;
/** Most milliseconds that are saved up: enough for a short run to be looked at all the way. */
const MOST_SAVED = 100;

export class Looking {
  #saved = MOST_SAVED;
  #at: number;

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {
    this.#at = now();
  }

  /** Whether the time for another look has been saved up since the last. */
  get affordable(): boolean {
    const now = this.now();
    this.#saved = Math.min(MOST_SAVED, this.#saved + SHARE * (now - this.#at));
    this.#at = now;
    return this.#saved > 0;
  }

  /** A look took so long. */
  pay(milliseconds: number): void {
    this.#saved -= Math.max(0, milliseconds);
  }
}
