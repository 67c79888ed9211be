// Searches backward for the last position at which training stops at a breakpoint: replays the run from one checkpoint
// to the next, the last part first.
import type { Breakpoints, PhaseHit } from './breakpoints';
import type { TrainingSession } from './session';

interface Hit extends PhaseHit {
  /** Counted from 1. */
  readonly step: number;
}

export class LastHitSearch {
  readonly #session: TrainingSession;
  readonly #breakpoints: Breakpoints;
  readonly #phases: number;
  /** Hits are before this position. */
  readonly #origin: number;
  /** Steps up to this one are still to be searched. */
  #end: number;
  /** The part that is replayed begins after this step; null before it begins. */
  #start: number | null = null;
  #hit: Hit | null = null;

  /** Searches before the current position of the session, and moves it. */
  constructor(session: TrainingSession, breakpoints: Breakpoints) {
    const { step, phase } = session.position;
    this.#session = session;
    this.#breakpoints = breakpoints;
    this.#phases = session.model.phases.length;
    this.#origin = step * this.#phases + phase;
    this.#end = phase > 0 ? step + 1 : step;
    breakpoints.forgetPrevious();
    if (breakpoints.isEmpty) this.#hit = this.#lastDiscovery(phase > 0 ? step + 1 : step);
  }

  get isDone(): boolean {
    return this.#start === null && (this.#hit !== null || this.#end <= this.#session.earliestStep || this.#isIdle);
  }

  /** Without breakpoints there is nothing to find. */
  get #isIdle(): boolean {
    return this.#breakpoints.isEmpty;
  }

  /** Replays one step. */
  advance(): void {
    const session = this.#session;
    const start = (this.#start ??= this.#begin());
    const step = session.position.step + 1;
    this.#breakpoints.beforeStep();
    if (this.#breakpoints.needsMeasurement) session.step(true);
    else session.train(1);
    if (step <= start) this.#breakpoints.recordPrevious();
    else
      for (const hit of this.#breakpoints.findHits())
        if ((step - 1) * this.#phases + hit.phase < this.#origin) this.#hit = { ...hit, step };
    if (step < this.#end) return;
    this.#end = start;
    this.#start = null;
  }

  /** Goes to the hit, or to the earliest step. @returns the hit */
  goToResult(): PhaseHit | null {
    const session = this.#session;
    const hit = this.#hit;
    this.#breakpoints.forgetPrevious();
    if (!hit) session.seek(session.earliestStep);
    else if (hit.phase < this.#phases) session.seek(hit.step - 1, hit.phase);
    else session.seek(hit.step);
    return hit;
  }

  /** What was found is known by its step, so nothing is replayed for it. */
  #lastDiscovery(before: number): Hit | null {
    const { discoveries } = this.#breakpoints;
    const step = discoveries.lastBefore(before);
    const found = step >= this.#session.earliestStep ? discoveries.at(step) : null;
    return found && { ...found, phase: this.#phases };
  }

  /** Restores the state at the beginning of the next part. @returns the last step before it */
  #begin(): number {
    const session = this.#session;
    const { earliestStep } = session;
    const { stepsBack } = this.#breakpoints;
    // What reads all steps before is replayed in one part.
    const start = stepsBack === Infinity ? earliestStep : session.checkpointBefore(this.#end);
    // The first step is compared with those before.
    const from = stepsBack === 0 || start === earliestStep ? start : session.checkpointBefore(start - stepsBack + 1);
    session.rewind(from, 1);
    this.#breakpoints.forgetPrevious();
    this.#breakpoints.follow();
    return start;
  }
}
