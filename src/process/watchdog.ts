// Tells a worker that hangs from one that works hard. It has no clock: its owner looks at regular intervals
// and says how long the last one was. Any sign of life starts anew: a turn of the event loop, a new phase, a call of
// the user's code.
import type { Activity } from './activity';

export interface WatchdogOptions {
  readonly read: () => Activity;
  /** Milliseconds without a sign of life. */
  readonly limit: number;
  /** Milliseconds that code of the user's own may take at a time. */
  readonly codeLimit: number;
  /** Most milliseconds that one look may count for: a computer that slept is no hang. */
  readonly interval: number;
}

/** How many times longer the user's code may take while it is loaded. */
const LOADING = 3;

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
    const { read, limit, codeLimit, interval } = this.#options;
    const activity = read();
    const alive = (['beats', 'phase', 'calls'] as const).some((sign) => activity[sign] !== this.#last[sign]);
    this.#silent = alive ? 0 : this.#silent + Math.min(elapsed, 2 * interval);
    this.#last = activity;
    // A file is compiled while it is loaded, which takes its time on a busy computer; nobody waits for it in the middle of a run.
    const code = activity.ownCode && codeLimit * (activity.ownCode.call === 'load' ? LOADING : 1);
    return this.#silent > (code ?? limit + activity.allowance) ? { activity, milliseconds: this.#silent } : null;
  }
}
