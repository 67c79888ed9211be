// One piece of work at a time. Of what is wished for meanwhile only the newest is done.

export class Newest<Wish> {
  readonly #work: (wish: Wish) => Promise<void>;
  readonly #fail: (error: unknown) => void;
  #next: Wish | null = null;
  #working: Promise<void> | null = null;

  /** @param fail told what the work throws; what was wished for meanwhile is done all the same. */
  constructor(work: (wish: Wish) => Promise<void>, fail: (error: unknown) => void) {
    this.#work = work;
    this.#fail = fail;
  }

  /** Whether something is being done. */
  get busy(): boolean {
    return this.#working !== null;
  }

  /** Settles when nothing is left to be done. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Whether something is still to be done. */
  get waiting(): boolean {
    return this.#next !== null;
  }

  /** Settles when nothing is left to be done. */
  want(wish: Wish): Promise<void> {
    this.#next = wish;
    this.#working ??= this.#all().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  /** What has not begun is not wanted any more. */
  drop(): void {
    this.#next = null;
  }

  async #all(): Promise<void> {
    while (this.#next !== null) {
      const wish = this.#next;
      this.#next = null;
      try {
        await this.#work(wish);
      } catch (error) {
        this.#fail(error);
      }
    }
  }
}
