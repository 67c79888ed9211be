// Emits one frame at a time: the next is not made until the previous one has arrived. If a frame was requested in the
// meantime, it then shows the latest state.

// 32 per second, so that at least 30 remain if some are late.
import type { Frame } from '../protocol/frame';
const INTERVAL_MS = 31;

export class FrameGate {
  #sequence = 0;
  #inFlight = false;
  #requested = false;
  #lastFrameAt = -Infinity;
  #closed = false;

  constructor(
    readonly now: () => number,
    readonly make: (sequence: number) => Frame,
    /** The next frame waits until this promise settles. */
    readonly emit: (frame: Frame) => Promise<void>,
  ) {}

  /** Whether a frame of a running training may be emitted now. */
  get isFrameDue(): boolean {
    return !this.#inFlight && this.now() - this.#lastFrameAt >= INTERVAL_MS;
  }

  /** Emits a frame now, or as soon as the one in flight has arrived. */
  request(): void {
    if (this.#closed) return;
    if (this.#inFlight) {
      this.#requested = true;
      return;
    }
    this.#inFlight = true;
    this.#requested = false;
    // A late frame does not delay the ones after it, and an early one does not make them wait longer.
    const now = this.now();
    this.#lastFrameAt = Math.min(now, Math.max(this.#lastFrameAt + INTERVAL_MS, now - INTERVAL_MS));
    const onDelivered = (): void => {
      this.#inFlight = false;
      if (this.#requested) this.request();
    };
    this.emit(this.make(++this.#sequence)).then(onDelivered, onDelivered);
  }

  close(): void {
    this.#closed = true;
  }
}
