// Throttles seeking while the user drags: one request is in flight at a time, and of those made meanwhile only the last
// one follows.

/** If no frame answers, the next request is sent after this time. */
const TIMEOUT_MS = 1000;

export class SeekThrottle {
  #pendingStep: number | null = null;
  #sentAt: number | null = null;

  constructor(
    readonly send: (step: number) => void,
    readonly now: () => number,
  ) {}

  seek(step: number): void {
    if (this.#sentAt !== null && this.now() - this.#sentAt < TIMEOUT_MS) {
      this.#pendingStep = step;
      return;
    }
    this.#sentAt = this.now();
    this.#pendingStep = null;
    this.send(step);
  }

  /** A frame arrived. @param isIdle whether the run is idle */
  onFrame(isIdle: boolean): void {
    if (!isIdle) return;
    this.#sentAt = null;
    const step = this.#pendingStep;
    if (step !== null) this.seek(step);
  }
}
