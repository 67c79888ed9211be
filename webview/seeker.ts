// Dragging asks for many steps a second: one is on its way at a time, and of those asked meanwhile only the last
// one follows.

/** Should no frame answer, the next may go after this long. */
const GIVE_UP_MS = 1000;

export class Seeker {
  #waiting: number | null = null;
  #since: number | null = null;

  constructor(
    readonly send: (step: number) => void,
    readonly now: () => number,
  ) {}

  seek(step: number): void {
    if (this.#since !== null && this.now() - this.#since < GIVE_UP_MS) {
      this.#waiting = step;
      return;
    }
    this.#since = this.now();
    this.#waiting = null;
    this.send(step);
  }

  /** A frame arrived. @param resting whether the run stands still */
  arrived(resting: boolean): void {
    if (!resting) return;
    this.#since = null;
    const step = this.#waiting;
    if (step !== null) this.seek(step);
  }
}
