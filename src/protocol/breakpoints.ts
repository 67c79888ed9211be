// Breakpoints of a run, and how it stops at them.
import type { NonFinite, RunStatus } from './frame';
import type { Position } from './position';

/** A breakpoint, evaluated after phases of each step while the run trains. */
export interface Breakpoint {
  /** Chosen by the client. */
  readonly id: number;
  /**
   * Where it is evaluated: after these phases, as indexes into the model's phases; or, for a data breakpoint, after the
   * phase that computes this expression, whose values in this step and in the one before are `value` and `previous`.
   */
  readonly on: { readonly phases: readonly number[] } | { readonly data: string };
  /** An expression that is true or false. By default, a data breakpoint stops when its value changes. */
  readonly condition?: string;
  /** Which of its hits count: `5`, `>= 5` or `% 5`. */
  readonly hitCondition?: string;
  /** Printed instead of stopping; expressions are in braces. */
  readonly logMessage?: string;
}

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
  /** The first NaN or infinity, at which training ends. */
  readonly nonFinite: NonFinite | null;
}

/** A log message of a breakpoint. */
export interface LogpointMessage {
  readonly breakpoint: number;
  readonly position: Position;
  readonly text: string;
}
