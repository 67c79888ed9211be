// Selects the views whose queries a frame answers. When idle, it is all of them. At full speed they take turns, each as
// often as people can read it, so that frames are small and quick to make.

/** Within this many milliseconds, each view has its turn. */
import type { ViewQueries } from '../protocol/queries';
const ROUND_MS = 130;

export class RoundRobin {
  /** The view whose turn is next comes first. */
  #queue: readonly ViewQueries[] = [];
  #lastTurnAt: number;

  /** @param now milliseconds since an arbitrary origin */
  constructor(readonly now: () => number) {
    this.#lastTurnAt = now();
  }

  set(views: readonly ViewQueries[]): void {
    this.#queue = views;
  }

  get count(): number {
    return this.#queue.length;
  }

  /** The views to answer in a frame, longest waiting first. @param all all views, not only those whose turn it is */
  next(all: boolean): readonly ViewQueries[] {
    const now = this.now();
    const share = Math.ceil((this.#queue.length * (now - this.#lastTurnAt)) / ROUND_MS);
    this.#lastTurnAt = now;
    return all ? this.#queue : this.#queue.slice(0, Math.max(1, share));
  }

  /** Records that the first `count` views were answered. @returns whether others are still waiting */
  rotate(count: number): boolean {
    const served = this.#queue.slice(0, count);
    this.#queue = [...this.#queue.slice(count), ...served];
    return this.#queue.length > count;
  }
}
