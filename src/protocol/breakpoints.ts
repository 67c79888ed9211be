// Breakpoints of a run, and how it stops at them.
import type { NonFinite, RunStatus } from './frame';
import type { Position } from './position';

/** A breakpoint, evaluated after phases of each step while the run trains. */
export interface Breakpoint {
  /** Chosen by the client. */
  readonly id: number;
  readonly on: BreakpointPlace;
  /** An expression that is true or false. By default, a data breakpoint stops when its value changes. */
  readonly condition?: string;
  /** Which of its hits count: `5`, `>= 5` or `% 5`. */
  readonly hitCondition?: string;
  /** Printed instead of stopping; expressions are in braces. */
  readonly logMessage?: string;
}

/** Where a breakpoint is evaluated. */
export type BreakpointPlace =
  /** After these phases, as indexes into the model's phases. */
  | { readonly phases: readonly number[] }
  /** After the phase that computes or changes this expression; with a condition about its change, as for `data`. */
  | { readonly tensor: string }
  /** The same, with its values in this step and in the one before as `value` and `previous`. */
  | { readonly data: string }
  /** After the step at which a finding with one of these codes is reported. */
  | { readonly findings: readonly string[] }
  /** After a check of the gradients while training that finds a wrong one. `null`: as the spec schedules them. */
  | { readonly checkEvery: number | null };

/** Whether a breakpoint can be hit. */
export interface BreakpointStatus {
  readonly id: number;
  readonly isVerified: boolean;
  /** Why it cannot be hit. */
  readonly message?: string;
}

/** What the run does, reported whenever it starts or stops. */
export interface RunState {
  readonly status: RunStatus;
  readonly position: Position;
  /** The breakpoints at which it stopped; empty if it stopped for another reason. */
  readonly hitBreakpoints: readonly number[];
  /** What a breakpoint on findings or checks found; null for others. */
  readonly discovery: Discovery | null;
  /** The first NaN or infinity, at which training ends. */
  readonly nonFinite: NonFinite | null;
}

/** Something wrong with the run, found after a step. */
export interface Discovery {
  /** The code of the finding; `wrong-gradient` for a check. */
  readonly code: string;
  /** The layer at fault; null where it is the whole run. */
  readonly layer: number | null;
  /** Sentences for people: what was observed, and what to do. */
  readonly message: string;
}

/** A log message of a breakpoint. */
export interface LogpointMessage {
  readonly breakpoint: number;
  readonly position: Position;
  readonly text: string;
}
