// The messages between the two threads of the engine process.
import type { MessagePort } from 'node:worker_threads';
import type { ModelInfo } from '../protocol/model-info';
import type { RunRecord } from '../protocol/run-record';
import type { Problem } from '../protocol/problem';
import type { EngineCalls, OpenRequest } from '../protocol/engine';
import type { ExitCause } from './exit-cause';

/** What the supervisor passes to a new worker, which hides it from the code of custom layers. */
export interface WorkerData {
  /** For all messages. */
  readonly port: MessagePort;
  /** See SharedActivity. */
  readonly activity: SharedArrayBuffer;
  /** Milliseconds that loading a spec may take beyond the usual limit. */
  readonly loadingGracePeriod: number;
  /** See CrashBreadcrumb; null if nobody would read it. */
  readonly breadcrumbFile: string | null;
  /** A counter of workers. */
  readonly workerNumber: number;
}

/** The result of loading a spec. */
export interface SpecLoadResult {
  /** Whether it can run. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly cancelled?: boolean;
}

export interface RunStarted {
  readonly model: ModelInfo;
  /** The furthest step reached. */
  readonly furthestStep: number;
  /** Why it did not continue from the record. */
  readonly restartReason?: string;
}

/** Answered by the worker: the host's calls, with opening in two parts. */
export interface WorkerCalls extends Omit<EngineCalls, 'open' | 'reload'> {
  /** Runs once what takes longer the first time, before anyone waits for it. */
  warmUp(): Promise<void>;
  /** Loads a spec and the code of its layers; the current run stays. */
  load(request: OpenRequest): Promise<SpecLoadResult>;
  /** Starts the run that was loaded last. @param record to continue from */
  startRun(record: RunRecord | null): Promise<RunStarted>;
}

type TextRange = Pick<Problem, 'start' | 'end'>;

/** A custom layer, as the supervisor needs it to report a fault. */
export interface NamedLayer {
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** Positions in the text of the spec: the layer, and the path of its file. */
  readonly range: TextRange;
  readonly moduleRange: TextRange;
}

/** Sent by the worker before anything can hang: the names for the supervisor's reports. */
export interface NamesMessage {
  readonly type: 'names';
  /** Descriptions of the phases of a step. */
  readonly phases?: readonly string[];
  /** Custom layers by their index. */
  readonly layers?: Readonly<Record<number, NamedLayer>>;
}

/** Sent by a worker that is about to end: why. */
export interface EndMessage {
  readonly type: 'end';
  readonly cause: ExitCause;
}

export function isEndMessage(message: unknown): message is EndMessage {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'end';
}

export function isNamesMessage(message: unknown): message is NamesMessage {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'names';
}
