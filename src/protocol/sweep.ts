// A sweep as the panel shows it, and the calls between the extension host and the process that runs it. The process is
// separate, so that it does not disturb the run in the panel.
import type { SplitName } from './position';

/** A value for each swept option, by the option's path. */
export type Settings = Readonly<Record<string, unknown>>;

export interface RunState {
  readonly settings: Settings;
  readonly state: 'waiting' | 'running' | 'finished' | 'diverged' | 'failed';
  readonly step: number;
  /** Steps of the whole run; 0 while unknown. */
  readonly total: number;
  /** Why it diverged or failed. */
  readonly message: string | null;
  /** After the last step of a finished run. */
  readonly losses?: Readonly<Partial<Record<SplitName, number>>>;
}

/** What a run of a regression with one input and one output learned, evenly sampled. */
export interface FittedFunction {
  /** Name of the input. */
  readonly input: string;
  /** The first and the last input. */
  readonly from: number;
  readonly to: number;
  readonly outputs: readonly number[];
}

/** Statistics of one measure over several runs. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, with n - 1; null for a single run. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
}

export interface Measures<Value> {
  readonly loss: Value;
  /** Null for a regression. */
  readonly accuracy: Value | null;
}

/** Runs that differ only in the seed. */
export interface Group {
  /** All settings but the seed. */
  readonly settings: Settings;
  /** The values in short, in the order of the report's options. */
  readonly labels: readonly string[];
  readonly planned: number;
  readonly finished: number;
  readonly diverged: number;
  readonly failed: number;
  /** After the last step, over the finished runs. */
  readonly final: Readonly<Partial<Record<SplitName, Measures<Spread>>>>;
  /** Mean share of the most frequent class over the finished runs; null for a regression. */
  readonly largestClass: Readonly<Partial<Record<SplitName, number | null>>>;
  /** Epochs of the bands. */
  readonly epochs: readonly number[];
  /** One spread for each epoch, over the finished runs. */
  readonly bands: Readonly<Partial<Record<SplitName, Measures<readonly Spread[]>>>>;
}

export interface Best {
  /** Index of the group. */
  readonly group: number;
  /** The split whose mean final loss is lowest in that group. */
  readonly part: SplitName;
}

export interface SweepReport {
  /** Options that the groups differ in: those with several values, without the seed. */
  readonly options: readonly string[];
  /** Seeds of each group; 1 if the seed is not swept. */
  readonly seeds: number;
  readonly groups: readonly Group[];
  /** Among the groups whose runs are all done; null before there are two. */
  readonly best: Best | null;
}

export interface SweepState {
  readonly running: boolean;
  /** Runs in parallel; 0 when idle. */
  readonly workers: number;
  readonly runs: readonly RunState[];
  readonly report: SweepReport;
  /** Of finished runs, by index; of the first ones if there are many, and none for other networks. */
  readonly fits: readonly { readonly run: number; readonly fit: FittedFunction }[];
  /** Name of the results file. */
  readonly file: string;
  /** Sentences about which results were kept and which were not. */
  readonly notes: readonly string[];
}

export interface SweepStartRequest {
  readonly text: string;
  /** Path of the spec. */
  readonly specFile: string;
  /** The spec may only read files inside this folder; null for no limit. */
  readonly root: string | null;
  /** Further folders that the user allows. */
  readonly allowed: readonly string[];
  /** Ignores earlier results. */
  readonly fresh: boolean;
}

/** Implemented by the sweep's process. */
export interface SweepCalls {
  /** Resolves when all runs are done or it is cancelled. @returns why it could not start or save, as a sentence */
  start(request: SweepStartRequest): Promise<string | null>;
  /** Keeps the results of finished runs. */
  cancel(): Promise<void>;
}

/** Implemented by the extension host. */
export interface SweepEvents {
  stateChanged(state: SweepState): void;
}
