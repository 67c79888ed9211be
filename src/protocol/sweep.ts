// The calls between the extension host and a process that does a sweep: one of its own, so that the run in the panel goes
// on undisturbed.
import type { SweepState } from '../sweep/state';

export type { SweepState };

export interface SweepStart {
  readonly text: string;
  /** Path of the spec. */
  readonly spec: string;
  /** Files outside of this folder are refused; null for no bound. */
  readonly root: string | null;
  /** Or of these, which the user allows. */
  readonly allowed: readonly string[];
  /** Leaves aside what was found before. */
  readonly fresh: boolean;
}

/** Answered by the sweep's process. */
export interface SweepCalls {
  /** Settles when all is done or it was cancelled; a sentence where it could not begin or not be kept. */
  start(request: SweepStart): Promise<string | null>;
  /** Runs that are done are kept. */
  cancel(): Promise<void>;
}

/** Answered by the extension host. */
export interface SweepVoice {
  sweep(state: SweepState): void;
}
