// Tells a worker that hangs from one that works hard. It has no clock: its owner looks at regular intervals
// and says how long the last one was. Any sign of life, a turn of the event loop or a new phase, starts anew.
import type { Activity } from './activity';

export interface WatchdogOptions {
  readonly read: () => Activity;
  /** Milliseconds without a sign of life. */
  readonly limit: number;
  /** Most milliseconds that one look may count for: a computer that slept is no hang. */
  readonly interval: number;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  #last: Activity;
  #silent = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#last = options.read();
  }

  /**
   * @param elapsed milliseconds since the look before.
   * @returns how long the worker has been silent, once that is too long; null while all is well.
   */
  look(elapsed: number): { readonly activity: Activity; readonly milliseconds: number } | null {
    const { read, limit, interval } = this.#options;
    const activity = read();
    const alive = activity.beats !== this.#last.beats || activity.phase !== this.#last.phase;
    this.#silent = alive ? 0 : this.#silent + Math.min(elapsed, 2 * interval);
    this.#last = activity;
    return this.#silent > limit + activity.allowance ? { activity, milliseconds: this.#silent } : null;
  }
}
