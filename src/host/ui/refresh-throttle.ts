// Refreshes what is shown at a readable rate, however often it changes: at once after a pause, and always with the last
// change.
export class RefreshThrottle {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastRefresh = -Infinity;

  /** @param interval milliseconds from one refresh to the next, at least */
  constructor(
    readonly interval: number,
    readonly refresh: () => void,
  ) {}

  schedule(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        this.#lastRefresh = Date.now();
        this.refresh();
      },
      Math.max(0, this.#lastRefresh + this.interval - Date.now()),
    );
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
