// The calls between the extension host and its engine process. Both sides are typed by these interfaces
// and carried by birpc; a call settles with its result, an error, or the exit of the process.
import type { Fault } from '../engine/custom/fault';
import type { CheckProgress, CheckReport } from '../gradcheck/report';
import type { SessionCommand } from '../session/command';
import type { Part } from '../parts/parts';
import type { Frame, ModelInfo, ProbeId } from '../session/frame';
import type { Answered, Asking, Question } from '../session/questions';
import type { HandedOver } from '../session/hand-over';
import type { RunRecord } from '../session/record';
import type { Problem } from '../spec/problem';

export type { SessionCommand };

export interface OpenRequest {
  readonly text: string;
  /** Folder that paths in the spec start from. */
  readonly folder: string;
  /** Files outside this folder are refused; null where there is no workspace. */
  readonly root: string | null;
  /** Folders that the user allows beside it, by their full path. */
  readonly allowed?: readonly string[];
  /** Bytes for going back; 64 MB unless told. */
  readonly checkpointBudget?: number;
  /** Has products run in vectors of 256 bits, where the engine can and computes the same. */
  readonly wideVectors?: boolean;
  /** Go on from here instead of from the start. */
  readonly record?: RunRecord;
  /** Whether the spec's own layers may run: code that lies in the folder. Without it such a spec is refused. */
  readonly code?: boolean;
}

export type OpenResult =
  | {
      readonly ok: true;
      readonly model: ModelInfo;
      readonly problems: readonly Problem[];
      /** The furthest step that the run has reached. */
      readonly frontier: number;
      /** Why the run began anew instead of going on from where it stood, in a sentence. */
      readonly restarted?: string;
    }
  /** The run before, if any, is still there. */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly cancelled?: boolean };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Answered by the engine process. */
export interface EngineCalls {
  /** Replaces the run when the spec is good; leaves it alone when not. */
  open(request: OpenRequest): Promise<OpenResult>;
  /** Ends an `open` that is still reading: it is answered as cancelled, and the run before is still there. */
  cancelOpen(): Promise<void>;
  /**
   * Loads the layers' files of the open spec anew and goes on: with the weights from before the step that is shown, which
   * is done again. What does not load, or fails at once, is said, and the run before stays. A run in progress
   * goes on.
   */
  reload(): Promise<OpenResult>;
  /** Settles when the command is carried out; `run` and its kin, when running has begun. Throws where it makes no sense. */
  command(command: SessionCommand): Promise<void>;
  /** What frames are to hold from now on: at rest all of it; while it trains as fast as it can, the questions of views in turn. */
  need(probes: readonly ProbeId[], questions: readonly Asking[]): Promise<void>;
  /** Answers where the run stands; while it trains, at the end of a step. */
  ask(question: Question): Promise<Answered>;
  /** Checks every gradient at this position; a run in progress waits. Cancelled, it settles with what was checked. */
  check(): Promise<CheckReport>;
  cancelCheck(): Promise<void>;
  /** Enough to go on elsewhere, bit for bit; null when nothing is open. */
  record(): Promise<RunRecord | null>;
  /** A record from which the step that is shown is done again with other code of the layers; a run in progress goes on. */
  handOver(): Promise<HandedOver | null>;
}

/** Answered by the extension host. */
export interface HostCalls {
  /** In parts where it is large; the next waits until this settles. */
  frame(frame: Frame | Part): Promise<void>;
  checkProgress(progress: CheckProgress): void;
  /** What an `open` that takes long is doing, in words. */
  loading(words: string): void;
  /** A check that ran by itself (`gradient_check.every`). */
  checked(report: CheckReport): void;
  /** A layer of the user's own failed; the run rests in the phase in which it did. */
  fault(fault: Fault): void;
  /** What a layer of the user's own wrote to the console; `source` names the layer, or is null outside of any. */
  log(level: LogLevel, text: string, source: string | null): void;
  /** The latest point that the run can be restored from, sent now and then. */
  checkpoint(record: RunRecord): void;
  /** From now on it uses an experiment of the JavaScript engine; see OpenRequest.wideVectors. */
  triesWideVectors(): void;
}

/** From the supervisor itself, beside the calls: why the process is about to end. */
export interface SupervisorNotice {
  readonly type: 'supervisor';
  readonly reason: string;
  /** Where a layer of the user's own is to blame. */
  readonly fault: Fault | null;
}
