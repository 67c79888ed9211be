// Runs a sweep from its spec to its results: skips finished runs, trains the others in parallel, and saves everything
// to a file. Each run is its own spec, so neither the number of threads nor earlier runs change its numbers.
import type { Problem } from '../../protocol/problem';
import type { RunState, SweepState } from '../../protocol/sweep';
import os from 'node:os';
import path from 'node:path';
import { type FileVersions, type ReadableFolders, withDataFiles } from '../../data-files/data-files';
import { specRules } from '../../diagnostics';
import { type CompiledRun, loadRun, type ParseResult, parseSpec, type SweepOption } from '../../model-spec';
import { type PlannedRun, type PlanResult, planSweep, type SweepPlan } from '../../sweep/plan';
import { changesData, type RunResult, settingsKey, type SweepData, variantTextOrEmpty } from '../../sweep/results';
import { SweepRecord } from '../../sweep/sweep-record';
import { loadUnwatchedLayers } from '../unwatched-layers';
import { dataDigest } from './data-digest';
import type { Task } from './messages';
import { toSweepState } from './saved-sweep';
import { openSweepStore, type SweepStore } from './sweep-store';
import { WorkerPool } from './worker-pool';

export interface SweepRequest {
  readonly source: ParseResult;
  /** Path of the spec. */
  readonly specFile: string;
  /** Files outside of this folder are rejected; null for no limit. */
  readonly root: string | null;
  /** Further folders that are allowed. */
  readonly allowed?: readonly string[] | undefined;
  /** Options in addition to those of the spec. */
  readonly extraOptions?: readonly SweepOption[];
  /** Where to save results; by default, next to the spec. */
  readonly resultsFile?: string;
  /** Ignores earlier results. */
  readonly fresh?: boolean;
  /** Whether the custom layers of the spec may run. */
  readonly allowCode?: boolean;
  /** Parallel runs; by default, one per core, limited by memory. */
  readonly workers?: number;
}

export type OpenSweepResult =
  | { readonly kind: 'sweep'; readonly sweep: Sweep; readonly warnings: readonly Problem[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  | { readonly kind: 'invalidOptions'; readonly optionErrors: PlanResult['optionErrors'] }
  /** The spec has no sweep section. */
  | { readonly kind: 'noSweep' }
  /** The results file contains something else. */
  | { readonly kind: 'unreadable'; readonly file: string };

// More frequent progress updates would be useless.
const UPDATE_INTERVAL_MS = 200;

/** The number of runs that fit in parallel. */
export const workerCountFor = ({ memory }: CompiledRun, runs: number): number =>
  Math.max(1, Math.min(os.availableParallelism(), runs, Math.floor(os.totalmem() / 2 / memory)));

/** Parts of a spec that leave its data and its initial weights as they are. */
const TRAINING_OPTIONS: ReadonlySet<string> = new Set(
  'optimizer schedule clip penalty batch_size shuffle epochs augment gradient_check'.split(' '),
);

/** The data of a sweep without custom layers, as its files are now. */
function sweepDataOf(run: CompiledRun, { spec }: SweepPlan, folders: ReadableFolders): SweepData {
  const digests = new Map<string, string | undefined>();
  return {
    digest: dataDigest(run),
    digestOf(settings) {
      // Transforms and the loss change the values of the data, and layers which initial weights are used.
      const key = settingsKey(
        Object.fromEntries(Object.entries(settings).filter(([path]) => !TRAINING_OPTIONS.has(path.split('.')[0]!))),
      );
      if (!digests.has(key)) {
        const source = parseSpec(variantTextOrEmpty(spec, settings));
        const variant = withDataFiles(folders, (files) => loadRun(source, files)).run;
        digests.set(key, variant && dataDigest(variant));
      }
      return digests.get(key);
    },
  };
}

const foldersOf = ({ specFile, root, allowed }: SweepRequest): ReadableFolders => ({
  folder: path.dirname(specFile),
  root,
  allowed,
});

export async function openSweep(request: SweepRequest): Promise<OpenSweepResult> {
  const { source, extraOptions } = request;
  const { plan, problems, optionErrors } = planSweep(source, extraOptions);
  if (optionErrors.length > 0) return { kind: 'invalidOptions', optionErrors };
  if (!plan) return problems.length > 0 ? { kind: 'problems', problems } : { kind: 'noSweep' };
  const folders = foldersOf(request);
  const customLayers = request.allowCode ? await loadUnwatchedLayers(source, folders) : undefined;
  const loaded = withDataFiles(folders, (files) => ({
    ...loadRun(source, files, { rules: specRules, customLayers }),
    versions: files.versions,
  }));
  if (!loaded.run) return { kind: 'problems', problems: loaded.problems };
  const store = openSweepStore(request);
  // Code that a layer imports can change without a trace in the spec, so earlier results are not reused.
  const repeat = request.fresh === true || customLayers !== undefined;
  const kept = await store.load();
  const found = repeat && (kept.kind === 'found' || request.fresh) ? ({ kind: 'none' } as const) : kept;
  if (found.kind === 'unreadable') return { kind: 'unreadable', file: store.file };
  const workers = request.workers ?? workerCountFor(loaded.run, plan.runs.length);
  const data = sweepDataOf(loaded.run, plan, folders);
  const record = new SweepRecord(plan, data, found.kind === 'found' ? found.results : null);
  return {
    kind: 'sweep',
    sweep: new Sweep(record, store, { ...request, workers, versions: loaded.versions }),
    warnings: loaded.problems,
  };
}

interface SweepContext extends SweepRequest {
  readonly workers: number;
  readonly versions: FileVersions;
}

export class Sweep {
  readonly #record: SweepRecord;
  readonly #store: SweepStore;
  readonly #context: SweepContext;
  #pool: WorkerPool | null = null;

  constructor(record: SweepRecord, store: SweepStore, context: SweepContext) {
    this.#record = record;
    this.#store = store;
    this.#context = context;
  }

  get state(): SweepState {
    return toSweepState(this.#record, this.#store, this.#pool ? this.#context.workers : 0);
  }

  /** Results of the planned runs in order; undefined if a run is not done. */
  get results(): readonly (RunResult | undefined)[] {
    return this.#record.results;
  }

  /**
   * Trains the runs without a result.
   * @param workerFile sweep-worker.js
   * @param onUpdate called every `updateInterval` milliseconds; at 0, on every change
   * @returns whether all runs are done. Rejects if the results cannot be written.
   */
  async run(
    workerFile: string,
    onUpdate: (state: SweepState) => void,
    updateInterval = UPDATE_INTERVAL_MS,
  ): Promise<boolean> {
    const { workers: maxWorkers, specFile } = this.#context;
    const record = this.#record;
    const { pendingRuns } = record;
    if (pendingRuns.length === 0) return true;
    const pool = new WorkerPool({ workerFile, maxWorkers });
    this.#pool = pool;
    let failure: unknown = null;
    const saveResults = (): Promise<void> => this.#store.save(() => record.toResults(path.basename(specFile)));
    const notifyOfChange = (): void => {
      if (updateInterval === 0) onUpdate(this.state);
    };
    const updateState = (task: number, change: Partial<RunState>): void => {
      record.updateState(pendingRuns[task]!.index, change);
      notifyOfChange();
    };
    onUpdate(this.state);
    const timer = updateInterval > 0 ? setInterval(() => onUpdate(this.state), updateInterval) : undefined;
    try {
      await pool.run(
        pendingRuns.map(({ run }) => taskOf(run, this.#context)),
        {
          started: (task) => updateState(task, { state: 'running' }),
          progress: (task, step, total) => updateState(task, { step, total }),
          finished: (task, done) => {
            const {
              index,
              run: { settings },
            } = pendingRuns[task]!;
            record.addResult(
              index,
              done.kind === 'trained'
                ? {
                    settings,
                    milliseconds: done.milliseconds,
                    ...(changesData(settings) ? { data: done.data } : {}),
                    ...done.trained,
                  }
                : { settings, outcome: 'failed', message: done.message },
            );
            saveResults().catch((error: unknown) => {
              failure ??= error;
              void pool.cancel();
            });
            notifyOfChange();
          },
        },
      );
    } finally {
      clearInterval(timer);
      this.#pool = null;
    }
    record.resetInterrupted();
    if (failure === null) await saveResults();
    onUpdate(this.state);
    if (failure !== null) throw failure instanceof Error ? failure : new Error(String(failure));
    return record.isComplete;
  }

  async cancel(): Promise<void> {
    await this.#pool?.cancel();
  }
}

const taskOf = (run: PlannedRun, context: SweepContext): Task => ({
  get text() {
    return run.text;
  },
  folders: foldersOf(context),
  versions: context.versions,
  allowCode: context.allowCode ?? false,
});
