// Limits a slice of replaying: by time, or by work if the session has no clock.
import { stepsPerSlice } from './scratch-session';
import type { TrainingSession } from './session';

/** Milliseconds. */
const SLICE_MS = 25;
/** Reading the clock would cost as much as a step of a small network. */
const STEPS_PER_LOOK = 8;

export class SliceClock {
  readonly #now: (() => number) | null;
  readonly #start: number;
  #looks = 0;
  #stepsLeft: number;

  constructor(session: TrainingSession) {
    this.#now = session.now;
    this.#start = session.now?.() ?? 0;
    this.#stepsLeft = session.now ? Infinity : stepsPerSlice(session);
  }

  /** Milliseconds; 0 without a clock. */
  get elapsed(): number {
    return (this.#now?.() ?? 0) - this.#start;
  }

  /** Ask before each step. */
  get isOver(): boolean {
    if (!this.#now) return this.#stepsLeft-- <= 0;
    return this.#looks++ % STEPS_PER_LOOK === STEPS_PER_LOOK - 1 && this.elapsed >= SLICE_MS;
  }
}
