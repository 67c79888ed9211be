// The calls between the extension host and its engine process. Both sides are typed by these interfaces
// and carried by birpc; a call settles with its result, an error, or the exit of the process.

import type { Breakpoint, BreakpointStatus, LogpointMessage, RunState } from './breakpoints';
import type { ProbeId } from './layer-stats';
import type { CustomLayerErrorDetails, Problem, RuleSettings } from './problem';
import type { CheckProgress, CheckReport } from './check-report';
import type { SessionCommand } from './command';
import type { Frame } from './frame';
import type { ModelInfo } from './model-info';
import type { QueryResult, ViewQueries, Query } from './queries';
import type { RunRecord } from './run-record';
import type { Chunk } from '../chunking/chunks';

export type { SessionCommand };

export interface OpenRequest {
  readonly text: string;
  /** Folder that paths in the spec are relative to. */
  readonly folder: string;
  /** Files outside this folder are rejected; null without a workspace. */
  readonly root: string | null;
  /** Further folders that the user allows, as absolute paths. */
  readonly allowed?: readonly string[];
  /** Bytes for checkpoints; 64 MB by default. */
  readonly checkpointBudget?: number | undefined;
  /** Uses 256-bit vectors if the JavaScript engine supports them and the results are the same. */
  readonly simd256?: boolean | undefined;
  /** The user's settings for rules; those in the spec take precedence. */
  readonly ruleSettings?: RuleSettings | undefined;
  /** Continues from here instead of from the start. */
  readonly record?: RunRecord | undefined;
  /** Set if the spec has custom layers and the user allowed them to run. Otherwise such a spec is rejected. */
  readonly allowCustomLayers?: boolean;
}

export type OpenResult =
  | {
      readonly ok: true;
      readonly model: ModelInfo;
      readonly problems: readonly Problem[];
      /** The furthest step that the run has reached. */
      readonly furthestStep: number;
      /** Why the run started over instead of continuing, as a sentence. */
      readonly restartReason?: string;
    }
  /** The current run, if any, continues. */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly cancelled?: boolean };

/** A run to continue after its custom layers were reloaded. */
export interface HotReloadState {
  readonly record: RunRecord;
  /** What the run was doing; null when it was idle. */
  readonly resumeCommand: SessionCommand | null;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Answered by the engine process. */
export interface EngineCalls {
  /** Replaces the run if the spec is valid; otherwise the current run stays. */
  open(request: OpenRequest): Promise<OpenResult>;
  /** Cancels an `open` in progress, which then returns that it was cancelled. The current run stays. */
  cancelOpen(): Promise<void>;
  /**
   * Reloads the files of the open spec's custom layers. The run continues with the weights from before the current
   * step, which is repeated. If the files cannot be loaded or fail at once, that is reported and the previous code
   * stays.
   */
  reload(): Promise<OpenResult>;
  /**
   * Resolves when the command is done; for `run` and similar commands, when training has started. A manual change
   * resolves when the host has a record that contains it. Rejects if the command is not possible now.
   */
  command(command: SessionCommand): Promise<void>;
  /** Sets the contents of frames: all of them when idle; at full speed, the queries of views in turn. */
  subscribe(probes: readonly ProbeId[], queries: readonly ViewQueries[]): Promise<void>;
  /** Answers immediately when idle; during training, at the end of a step. */
  query(question: Query): Promise<QueryResult>;
  /**
   * Replaces the breakpoints of the run. Training stops at them; seeking and single steps do not. The result is in
   * their order.
   */
  setBreakpoints(breakpoints: readonly Breakpoint[]): Promise<readonly BreakpointStatus[]>;
  /** Checks every gradient at this position; training waits. If cancelled, returns what was checked. */
  check(): Promise<CheckReport>;
  cancelCheck(): Promise<void>;
  /** What is needed to resume elsewhere, bit for bit; null if no run is open. */
  captureRecord(): Promise<RunRecord | null>;
  /** A record from which the current step can be repeated with other layer code. Training continues. */
  getHotReloadState(): Promise<HotReloadState | null>;
}

/** Answered by the extension host. */
export interface EngineEvents {
  /** Large frames arrive in chunks; the next one waits until this resolves. */
  frame(frame: Frame | Chunk): Promise<void>;
  checkProgress(progress: CheckProgress): void;
  /** What a long `open` is doing, as text. */
  loading(message: string): void;
  /** A scheduled check has finished (`gradient_check.every`). */
  checkFinished(report: CheckReport): void;
  /** A custom layer failed. The run stays in the phase in which it failed. */
  fault(fault: CustomLayerErrorDetails): void;
  /** Console output of a custom layer; `source` is the layer's name, or null. */
  log(level: LogLevel, text: string, source: string | null): void;
  /** The latest record to restore the run from, sent regularly and before a manual change is confirmed. */
  checkpoint(record: RunRecord): Promise<void> | void;
  /** The run starts or stops. It arrives before the answer of the command that caused it. */
  stateChanged(state: RunState): void;
  /** Log messages of breakpoints; training waits until they are handled. */
  logpoints(messages: readonly LogpointMessage[]): Promise<void> | void;
  /** From now on it uses 256-bit vectors, an experimental feature of V8; see OpenRequest.simd256. */
  simd256Enabled(): void;
}

/** The host asks whether the process still answers. */
export const PING = 'ping';
export const PONG = 'pong';

/** Sent by the supervisor itself: why the process is about to end. */
export interface SupervisorNotice {
  readonly type: 'supervisor';
  readonly reason: string;
  /** The custom layer at fault, if any. */
  readonly fault: CustomLayerErrorDetails | null;
}
