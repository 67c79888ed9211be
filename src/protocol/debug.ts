// The calls between the extension host and a process that does steps of a run again for a debugger.
import type { Fault } from '../engine/custom/fault';
import type { RunRecord } from '../session/record';
import type { Problem } from '../spec/problem';
import type { OpenRequest } from './engine';

export interface StepsAgain {
  readonly open: OpenRequest;
  /** Where the run stands: the step that is shown there is done again. Null for a run that has not begun. */
  readonly from: RunRecord | null;
  /** How many steps to do, at most to the end of the run. */
  readonly steps: number;
}

export type StepsDone =
  /** The number of the last step, from 1, and its loss. */
  | { readonly kind: 'done'; readonly step: number; readonly loss: number | null }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Answered by the process. */
export interface DebugCalls {
  /** Waits for a debugger first. */
  stepsAgain(request: StepsAgain): Promise<StepsDone>;
}

/** Answered by the extension host. */
export interface DebugVoice {
  /** A debugger can attach on this port of this machine; the process waits for it. */
  listening(port: number): Promise<void>;
}
