// Whose questions a frame answers. At rest those of all views; while it trains as fast as it can they take turns, each as
// often as can be read, so that a frame is soon made and small.
import type { Asking } from './questions';

/** Within so many milliseconds each view has had its turn. */
const ROUND_MS = 130;

export class ViewTurns {
  /** Whose turn is next stands first. */
  #waiting: Asking[] = [];
  /** At rest: those that nothing was said to yet about where the run stands; null where nothing was said at all. */
  #left: readonly Asking[] | null = null;
  #last: number;

  /** @param now milliseconds, from any origin. */
  constructor(readonly now: () => number) {
    this.#last = now();
  }

  set(views: readonly Asking[]): void {
    this.#waiting = [...views];
    this.renew();
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** The run stands elsewhere, or is another one by now. */
  renew(): void {
    this.#left = null;
  }

  /** Whether the frame to come goes on with what one before it, at rest, had no room for. */
  get goesOn(): boolean {
    return this.#left !== null;
  }

  /** Those to answer in a frame, first of all whoever waits longest. @param all not only whose turn it is */
  next(all: boolean): readonly Asking[] {
    const now = this.now();
    const share = Math.ceil((this.#waiting.length * (now - this.#last)) / ROUND_MS);
    this.#last = now;
    if (!all) this.#left = null;
    return all ? (this.#left ?? this.#waiting) : this.#waiting.slice(0, Math.max(1, share));
  }

  /** The first so many of them were answered. @returns whether others are still to be */
  answered(count: number, all: boolean): boolean {
    const from = (all ? this.#left : null) ?? this.#waiting;
    const done = from.slice(0, count);
    this.#left = all ? from.slice(count) : null;
    this.#waiting = [...this.#waiting.filter((view) => !done.includes(view)), ...done];
    return from.length > count;
  }
}
