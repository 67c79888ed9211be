// Whose questions a frame answers. At rest those of all views; while it trains as fast as it can they take turns, each as
// often as can be read, so that a frame is soon made and small.
import type { Asking } from './questions';

/** Within so many milliseconds each view has had its turn. */
const ROUND_MS = 130;

export class ViewTurns {
  /** Whose turn is next stands first. */
  #waiting: readonly Asking[] = [];
  #last: number;

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {
    this.#last = now();
  }

  set(views: readonly Asking[]): void {
    this.#waiting = views;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** Those to answer in a frame, first of all whoever waits longest. @param all not only whose turn it is */
  next(all: boolean): readonly Asking[] {
    const now = this.now();
    const share = Math.ceil((this.#waiting.length * (now - this.#last)) / ROUND_MS);
    this.#last = now;
    return all ? this.#waiting : this.#waiting.slice(0, Math.max(1, share));
  }

  /** The first so many of them were answered. @returns whether others are still to be */
  answered(count: number): boolean {
    const done = this.#waiting.slice(0, count);
    this.#waiting = [...this.#waiting.slice(count), ...done];
    return this.#waiting.length > count;
  }
}
