// Distinguishes a worker that hangs from one that works hard. It has no clock: its owner polls it regularly and
// passes the elapsed time, of which time without a processor does not count. Any sign of life resets it: a turn of
// the event loop, a new phase, a call of a custom layer.
import type { Activity } from './activity';

export interface WatchdogOptions {
  readonly readActivity: () => Activity;
  /** Milliseconds without a sign of life. */
  readonly timeout: number;
  /** Milliseconds that a call of a custom layer may take. */
  readonly layerTimeout: number;
  /** Maximum number of milliseconds that one poll counts: a computer that was asleep is not a hang. */
  readonly pollInterval: number;
  /** Milliseconds of the last `elapsed` in which the worker could not run, see `createStarvationClock`. */
  readonly starvedTime?: (elapsed: number) => number;
}

/** How many times longer a custom layer may take while it is loaded. */
const LOADING_FACTOR = 3;

export class Watchdog {
  readonly #options: WatchdogOptions;
  #lastActivity: Activity;
  #silentMs = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastActivity = options.readActivity();
  }

  /**
   * @param elapsed milliseconds since the last poll
   * @returns how long the worker has been silent, if that is too long; otherwise null
   */
  poll(elapsed: number): { readonly activity: Activity; readonly milliseconds: number } | null {
    const { readActivity, timeout, layerTimeout, pollInterval, starvedTime } = this.#options;
    const activity = readActivity();
    const isAlive = (['heartbeats', 'phase', 'layerCallCount'] as const).some(
      (sign) => activity[sign] !== this.#lastActivity[sign],
    );
    const counted = Math.min(elapsed, 2 * pollInterval);
    const starved = starvedTime?.(counted) ?? 0;
    this.#silentMs = isAlive ? 0 : this.#silentMs + counted - starved;
    this.#lastActivity = activity;
    // Loading compiles the file, which takes longer on a busy computer and does not interrupt a run.
    const layerLimit = activity.layerCall && layerTimeout * (activity.layerCall.call === 'load' ? LOADING_FACTOR : 1);
    return this.#silentMs > (layerLimit ?? timeout + activity.gracePeriod)
      ? { activity, milliseconds: this.#silentMs }
      : null;
  }
}
