// The calls between the extension host and a process that replays steps of a run under a debugger.

import type { CustomLayerErrorDetails, Problem } from './problem';
import type { RunRecord } from './run-record';
import type { OpenRequest } from './engine';

export interface ReplayRequest {
  readonly open: OpenRequest;
  /** The position of the run, whose current step is replayed first. Null for a run that has not started. */
  readonly from: RunRecord | null;
  /** How many steps to replay, at most to the end of the run. */
  readonly steps: number;
  /** Replays only the phase that comes next, and waits for the debugger right before it. */
  readonly onlyNextPhase?: boolean;
}

export type ReplayResult =
  /** The number of the last step, from 1, and its loss. */
  | { readonly kind: 'done'; readonly step: number; readonly loss: number | null }
  | { readonly kind: 'fault'; readonly fault: CustomLayerErrorDetails };

export type ReplayResponse = ReplayResult | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Answered by the process. */
export interface DebugCalls {
  /** Waits for a debugger first, or before the phase. */
  replaySteps(request: ReplayRequest): Promise<ReplayResponse>;
}

/** Answered by the extension host. */
export interface DebugEvents {
  /** The process waits for a debugger to attach on this local port. */
  listening(port: number): Promise<void>;
}
