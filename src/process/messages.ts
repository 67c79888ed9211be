// What the two threads of the engine process say to each other.
import type { EngineCalls, OpenRequest } from '../protocol/engine';
import type { ModelInfo } from '../session/frame';
import type { RunRecord } from '../session/record';
import type { Problem } from '../spec';

/** What the supervisor gives its worker at birth. */
export interface WorkerData {
  /** See ActivityCell. */
  readonly activity: SharedArrayBuffer;
  /** Milliseconds that loading a spec may take beyond the usual limit. */
  readonly loading: number;
  /** See BlackBox; null where nobody would read it. */
  readonly blackBox: string | null;
  /** Counted up. */
  readonly worker: number;
}

/** A spec that was read. */
export interface Loaded {
  /** Whether it can run. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly cancelled?: boolean;
}

export interface Begun {
  readonly model: ModelInfo;
  /** The furthest step reached. */
  readonly frontier: number;
  /** Why it did not go on from the record. */
  readonly restarted?: string;
}

/** Answered by the worker: what the host may ask, with opening in two parts. */
export interface WorkerCalls extends Omit<EngineCalls, 'open' | 'reload'> {
  /** Reads a spec and loads the code of its layers; the run before stays. */
  load(request: OpenRequest): Promise<Loaded>;
  /** Begins the run that was loaded last. @param record to go on from. */
  begin(record: RunRecord | null): Promise<Begun>;
}

/** From the worker, before anything can hang: what a watchdog will have to name. */
export interface NamesMessage {
  readonly type: 'names';
  /** What the phases of a step are called. */
  readonly phases?: readonly string[];
  /** The layers of the user's own, by their index. */
  readonly layers?: Readonly<Record<number, { readonly name: string; readonly file: string }>>;
}

export function isNamesMessage(message: unknown): message is NamesMessage {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'names';
}
