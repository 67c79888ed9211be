// A sweep from a spec to its results: which runs are done already, the others side by side, all of it kept in a file.
// Each run is a spec of its own, so that neither the number of threads nor what ran before changes its numbers.
import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { type ReadableFolders, withFiles } from '../../files/data-files';
import { specRules } from '../../health/rules';
import { type CompiledRun, loadRun, type Problem, type SweepOption } from '../../spec';
import { type Planned, type PlannedRun, planSweep, type SweepPlan } from '../../sweep/plan';
import { reportOf, type SweepReport } from '../../sweep/report';
import { FORMAT, keepResults, keyOf, resultsOf, type RunResult, type SweepResults, VERSION } from '../../sweep/results';
import { isDone, type RunState, type SweepState } from '../../sweep/state';
import type { Task } from './messages';
import { Pool } from './pool';
import { resultsFileOf, SweepStore } from './store';

export interface SweepRequest {
  readonly text: string;
  /** Path of the spec. */
  readonly spec: string;
  /** Files outside of this folder are refused; null for no bound. */
  readonly root: string | null;
  /** Or of these. */
  readonly allowed?: readonly string[];
  /** Options beside those of the spec. */
  readonly more?: readonly SweepOption[];
  /** Where results are kept; beside the spec unless told. */
  readonly results?: string;
  /** Leaves aside what was found before. */
  readonly fresh?: boolean;
  /** Runs side by side; as many as the machine has cores, and memory for, unless told. */
  readonly workers?: number;
}

export type OpenedSweep =
  | { readonly kind: 'sweep'; readonly sweep: Sweep; readonly warnings: readonly Problem[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  | { readonly kind: 'faults'; readonly faults: Planned['faults'] }
  /** The spec sweeps nothing. */
  | { readonly kind: 'nothing' }
  /** The results' file holds something else. */
  | { readonly kind: 'strange'; readonly file: string };

// A glance at progress is worth no more.
const TELL_MS = 200;

/** So many runs fit side by side. */
export const workersFor = ({ memory }: CompiledRun, runs: number): number =>
  Math.max(1, Math.min(os.availableParallelism(), runs, Math.floor(os.totalmem() / 2 / memory)));

function digestOf({ dataset, split }: CompiledRun): string {
  const hash = createHash('sha256');
  for (const values of [dataset.inputs, dataset.targets, split.train]) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest('hex').slice(0, 16);
}

const sentences = (count: number, one: string, many: string): string[] => (count === 0 ? [] : [count === 1 ? one : many]);

/** What an earlier sweep left of these runs, without looking at their data; `problems` where the spec has some. */
export function lookAt(request: SweepRequest): SweepState | 'nothing' | 'problems' {
  const { plan, problems } = planSweep(request.text, request.more);
  if (!plan) return problems.length > 0 ? 'problems' : 'nothing';
  const store = new SweepStore(request.results ?? resultsFileOf(request.spec));
  const found = store.load();
  const data = found.kind === 'found' ? found.results.data : '';
  return new Sweep(plan, store, { ...request, data, workers: 0 }, found.kind === 'found' ? found.results : null).state;
}

const foldersOf = ({ spec, root, allowed }: SweepRequest): ReadableFolders => ({ folder: path.dirname(spec), root, allowed });

export function openSweep(request: SweepRequest): OpenedSweep {
  const { plan, problems, faults } = planSweep(request.text, request.more);
  if (faults.length > 0) return { kind: 'faults', faults };
  if (!plan) return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'nothing' };
  const loaded = withFiles(foldersOf(request), (files) => loadRun(request.text, files, { rules: specRules }));
  if (!loaded.run) return { kind: 'problems', problems: loaded.problems };
  const store = new SweepStore(request.results ?? resultsFileOf(request.spec));
  const found = request.fresh ? ({ kind: 'none' } as const) : store.load();
  if (found.kind === 'strange') return { kind: 'strange', file: store.file };
  const workers = request.workers ?? workersFor(loaded.run, plan.runs.length);
  const context = { ...request, data: digestOf(loaded.run), workers };
  return { kind: 'sweep', sweep: new Sweep(plan, store, context, found.kind === 'found' ? found.results : null), warnings: loaded.problems };
}

interface SweepContext extends SweepRequest {
  readonly data: string;
  readonly workers: number;
}

export class Sweep {
  readonly #plan: SweepPlan;
  readonly #store: SweepStore;
  readonly #context: SweepContext;
  readonly #notes: readonly string[];
  /** All results that hold, by their settings; some may be of other lists than those of now. */
  readonly #results: Map<string, RunResult>;
  readonly #states: RunState[];
  /** Until a run is done. */
  #report: SweepReport | null = null;
  #pool: Pool | null = null;

  constructor(plan: SweepPlan, store: SweepStore, context: SweepContext, found: SweepResults | null) {
    this.#plan = plan;
    this.#store = store;
    this.#context = context;
    const kept = found ? keepResults(found, plan, context.data) : { runs: [], void: 0 };
    this.#results = new Map(kept.runs.map((run) => [keyOf(run.settings), run]));
    this.#states = resultsOf(kept.runs, plan.runs).map((result, i) => stateOf(plan.runs[i].settings, result));
    const done = this.#states.filter(isDone).length;
    this.#notes = [
      ...sentences(kept.void, 'The spec or its data changed since 1 run of this file, which no longer holds.', `The spec or its data changed since ${kept.void} runs of this file, which no longer hold.`),
      ...sentences(done, '1 run was done before and is kept.', `${done} runs were done before and are kept.`),
    ];
  }

  get state(): SweepState {
    const { options, runs } = this.#plan;
    this.#report ??= reportOf(options, runs.map(({ settings }) => settings), this.results);
    return {
      running: this.#pool !== null,
      workers: this.#pool ? this.#context.workers : 0,
      runs: [...this.#states],
      report: this.#report,
      file: path.basename(this.#store.file),
      notes: this.#notes,
    };
  }

  /** Results of the planned runs, in their order; undefined where one is not done. */
  get results(): readonly (RunResult | undefined)[] {
    return resultsOf([...this.#results.values()], this.#plan.runs);
  }

  /**
   * Does what is not done yet.
   * @param workerFile sweep-worker.js.
   * @param tell called while it runs, at most as often as `every` milliseconds; at 0 with every change.
   * @returns whether all was done. Rejects where the results cannot be written.
   */
  async run(workerFile: string, tell: (state: SweepState) => void, every = TELL_MS): Promise<boolean> {
    const { workers } = this.#context;
    const folders = foldersOf(this.#context);
    const { runs } = this.#plan;
    const open = runs.map((_, i) => i).filter((i) => this.#results.get(keyOf(runs[i].settings))?.outcome === undefined);
    if (open.length === 0) return true;
    const pool = new Pool({ file: workerFile, workers });
    this.#pool = pool;
    let failure: unknown = null;
    const save = (): void =>
      void this.#store.save(() => this.#file()).catch((error: unknown) => {
        failure ??= error;
        void pool.cancel();
      });
    tell(this.state);
    const timer = every > 0 ? setInterval(() => tell(this.state), every) : undefined;
    const changed = (run: number, state: RunState): void => {
      this.#states[run] = state;
      if (every === 0) tell(this.state);
    };
    const change = (run: number, part: Partial<RunState>): void => changed(run, { ...this.#states[run], ...part });
    try {
      await pool.run(open.map((i) => taskOf(runs[i], folders)), {
        began: (task) => change(open[task], { state: 'running' }),
        progress: (task, step, total) => change(open[task], { step, total }),
        done: (task, done) => {
          const { settings } = runs[open[task]];
          const result: RunResult =
            done.kind === 'trained' ? { settings, milliseconds: done.milliseconds, ...done.trained } : { settings, outcome: 'failed', message: done.message };
          this.#results.set(keyOf(settings), result);
          this.#report = null;
          save();
          changed(open[task], stateOf(settings, result));
        },
      });
    } finally {
      clearInterval(timer);
      this.#pool = null;
    }
    this.#states.forEach((state, i) => {
      if (state.state === 'running') this.#states[i] = stateOf(state.settings, undefined);
    });
    if (failure === null) await this.#store.save(() => this.#file());
    tell(this.state);
    if (failure !== null) throw failure instanceof Error ? failure : new Error(String(failure));
    return this.#states.every(isDone);
  }

  async cancel(): Promise<void> {
    await this.#pool?.cancel();
  }

  /** In the order of the plan, whatever was done first; what is kept of other lists follows. */
  #file(): SweepResults {
    const keys = this.#plan.runs.map(({ settings }) => keyOf(settings));
    const planned = new Set(keys);
    const others = [...this.#results.keys()].filter((key) => !planned.has(key));
    const runs = [...keys, ...others].map((key) => this.#results.get(key)).filter((run): run is RunResult => run !== undefined);
    return { format: FORMAT, version: VERSION, file: path.basename(this.#context.spec), data: this.#context.data, spec: this.#plan.spec, runs };
  }
}

const taskOf = (run: PlannedRun, folders: ReadableFolders): Task => ({
  get text() {
    return run.text;
  },
  folders,
});

function stateOf(settings: RunState['settings'], result: RunResult | undefined): RunState {
  if (!result) return { settings, state: 'waiting', step: 0, total: 0, message: null };
  const steps = 'steps' in result ? result.steps : 0;
  return { settings, state: result.outcome, step: steps, total: steps, message: result.message };
}
