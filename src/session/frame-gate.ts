// Lets frames out one at a time: while one is in flight the next is not made, and when it has landed the
// newest state goes out, if anybody wanted it meanwhile.
import type { Frame } from './frame';

// 32 a second, and 30 where some come late.
const INTERVAL_MS = 31;

export class FrameGate {
  #sequence = 0;
  #inFlight = false;
  #wanted = false;
  #last = -Infinity;
  #closed = false;

  constructor(
    readonly now: () => number,
    readonly make: (sequence: number) => Frame,
    /** The next frame waits until this settles. */
    readonly emit: (frame: Frame) => Promise<void>,
  ) {}

  /** Whether a frame of a run in progress may go out now. */
  get due(): boolean {
    return !this.#inFlight && this.now() - this.#last >= INTERVAL_MS;
  }

  /** Emits a frame now, or as soon as the one in flight has landed. */
  show(): void {
    if (this.#closed) return;
    if (this.#inFlight) {
      this.#wanted = true;
      return;
    }
    this.#inFlight = true;
    this.#wanted = false;
    // One that is late takes nothing from those after it, and one that is early adds nothing to their waiting.
    const now = this.now();
    this.#last = Math.min(now, Math.max(this.#last + INTERVAL_MS, now - INTERVAL_MS));
    const landed = (): void => {
      this.#inFlight = false;
      if (this.#wanted) this.show();
    };
    this.emit(this.make(++this.#sequence)).then(landed, landed);
  }

  close(): void {
    this.#closed = true;
  }
}
