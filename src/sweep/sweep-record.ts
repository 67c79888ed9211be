// What is known of the runs of a sweep: the results that still hold from its file, and those added since.
import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { RunState, SweepReport } from '../protocol/sweep';
import type { PlannedRun, SweepPlan } from './plan';
import { buildReport, isDone } from './report';
import {
  FORMAT,
  matchResults,
  type RunResult,
  selectReusable,
  settingsKey,
  type SweepData,
  type SweepResults,
  VERSION,
} from './results';
import type { Curve } from './train-run';

const countSentence = (count: number, one: string, many: string): string[] =>
  count === 0 ? [] : [count === 1 ? one : many];

const lastLosses = (parts: Readonly<Partial<Record<SplitName, Curve>>>): NonNullable<RunState['losses']> =>
  Object.fromEntries(SPLIT_NAMES.flatMap((split) => (parts[split] ? [[split, parts[split].loss.at(-1)!]] : [])));

function stateOf(settings: RunState['settings'], result: RunResult | undefined): RunState {
  if (!result) return { settings, state: 'waiting', step: 0, total: 0, message: null };
  const steps = 'steps' in result ? result.steps : 0;
  const state = { settings, state: result.outcome, step: steps, total: steps, message: result.message };
  return result.outcome === 'finished' ? { ...state, losses: lastLosses(result.parts) } : state;
}

export class SweepRecord {
  readonly #plan: SweepPlan;
  readonly #dataDigest: string;
  /** All results that hold, by their settings; some may be of values that the sweep no longer lists. */
  readonly #results: Map<string, RunResult>;
  readonly #states: RunState[];
  #cachedReport: SweepReport | null = null;
  /** What became of the results in the file. */
  readonly notes: readonly string[];

  /**
   * @param data null if it is not loaded
   * @param found what the file holds
   */
  constructor(plan: SweepPlan, data: SweepData | null, found: SweepResults | null) {
    this.#plan = plan;
    this.#dataDigest = data?.digest ?? found?.data ?? '';
    const kept = found ? selectReusable(found, plan, data) : { runs: [], staleCount: 0 };
    this.#results = new Map(kept.runs.map((run) => [settingsKey(run.settings), run]));
    this.#states = matchResults(kept.runs, plan.runs).map((result, i) => stateOf(plan.runs[i]!.settings, result));
    const done = this.#states.filter(isDone).length;
    this.notes = [
      ...countSentence(
        kept.staleCount,
        'The spec or its data changed since 1 run of this file, which no longer holds.',
        `The spec or its data changed since ${kept.staleCount} runs of this file, which no longer hold.`,
      ),
      // Without data, no run is about to start, and what is done is not from "before".
      ...countSentence(
        data ? done : 0,
        '1 run was done before and is kept.',
        `${done} runs were done before and are kept.`,
      ),
    ];
  }

  /** Results of the planned runs, in their order; undefined where one is not done. */
  get results(): readonly (RunResult | undefined)[] {
    return matchResults([...this.#results.values()], this.#plan.runs);
  }

  get states(): readonly RunState[] {
    return [...this.#states];
  }

  get report(): SweepReport {
    const { options, runs } = this.#plan;
    this.#cachedReport ??= buildReport(
      options,
      runs.map(({ settings }) => settings),
      this.results,
    );
    return this.#cachedReport;
  }

  get isComplete(): boolean {
    return this.#states.every(isDone);
  }

  /** The planned runs without a result, and their indexes. */
  get pendingRuns(): readonly { readonly index: number; readonly run: PlannedRun }[] {
    return this.#plan.runs
      .map((run, index) => ({ run, index }))
      .filter(({ run }) => !this.#results.has(settingsKey(run.settings)));
  }

  updateState(index: number, change: Partial<RunState>): void {
    this.#states[index] = { ...this.#states[index]!, ...change };
  }

  addResult(index: number, result: RunResult): void {
    this.#results.set(settingsKey(result.settings), result);
    this.#cachedReport = null;
    this.#states[index] = stateOf(result.settings, result);
  }

  /** Runs that were interrupted wait again. */
  resetInterrupted(): void {
    this.#states.forEach((state, i) => {
      if (state.state === 'running') this.#states[i] = stateOf(state.settings, undefined);
    });
  }

  /** The content of the results file, in the order of the plan; results of other settings follow. */
  toResults(file: string): SweepResults {
    const keys = this.#plan.runs.map(({ settings }) => settingsKey(settings));
    const planned = new Set(keys);
    const others = [...this.#results.keys()].filter((key) => !planned.has(key));
    const runs = [...keys, ...others].flatMap((key) => this.#results.get(key) ?? []);
    return { format: FORMAT, version: VERSION, file, data: this.#dataDigest, spec: this.#plan.spec, runs };
  }
}
