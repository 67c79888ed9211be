// Computes for the supervisor: opens specs, and passes commands to the runner of the open one. One run at a time. A
// spec that cannot run leaves the current run alone.
import type { Breakpoint, BreakpointStatus } from '../protocol/breakpoints';
import type { ProbeId } from '../protocol/layer-stats';
import { isManualChange, type SessionCommand } from '../protocol/command';
import type { ModelInfo } from '../protocol/model-info';
import type { QueryResult, ViewQueries, Query } from '../protocol/queries';
import type { HotReloadState, EngineEvents, OpenRequest } from '../protocol/engine';
import type { RunRecord } from '../protocol/run-record';
import { importCustomLayers } from '../custom-layers/import-custom-layers';
import type { CheckReport } from '../protocol/panel';
import type { ThreadPool } from '../engine/kernels/thread-pool';
import type { Simd256Compiler } from '../engine/kernels/simd256';
import { splitMessage } from '../chunking/chunks';
import { hasCustomCode } from '../engine/network-model';
import type { SessionOptions } from '../session/session-options';
import { Runner } from '../session/runner';
import { TrainingSession } from '../session/session';
import { hashData } from '../session/state-hash';
import { type CompiledRun, parseSpec } from '../model-spec';
import type { CooperativeTask } from '../engine/cooperative-task';
import type { SharedActivity } from './activity';
import { type FileVersions, FolderFiles } from '../data-files/data-files';
import { openSpecTask } from '../session/open-spec';
import type { RunStarted, SpecLoadResult, WorkerCalls } from './messages';
import type { CustomLayerWatch } from './custom-layer-watch';
import type { EngineReplayThreads } from './replay/replay-threads';
import { warmUp } from './warm-up';
import { CheckpointThrottle } from './checkpoint-throttle';
import { describePhase } from './exit-cause';

/** The host's events: the worker waits for some of them, the others are only sent. */
export type EngineEventsProxy = Pick<EngineEvents, 'frame' | 'checkpoint' | 'logpoints'> & {
  readonly [Name in Exclude<keyof EngineEvents, 'frame' | 'checkpoint' | 'logpoints'>]: {
    asEvent(...args: Parameters<EngineEvents[Name]>): Promise<void>;
  };
};

export interface WorkerServiceOptions {
  readonly activity: SharedActivity;
  /** Milliseconds that loading a spec may take beyond the usual limit. */
  readonly loadingGracePeriod: number;
  readonly layerWatch: CustomLayerWatch;
  /** Receives descriptions of the phases of a new run's steps. */
  readonly onPhaseNames: (phases: readonly string[]) => void;
  readonly events: () => EngineEventsProxy;
  /** Worker threads for large products. */
  readonly threadPool: ThreadPool;
  /** Threads for long queries over a run without custom layers. */
  readonly createReplayThreads: (folders: OpenRequest, versions: FileVersions) => EngineReplayThreads;
  /** Undefined if 256-bit vectors are disabled. */
  readonly simd256: Simd256Compiler | undefined;
}

// For slow kernels on a slow machine.
const NS_PER_MULTIPLY_ADD = 20;
// While a spec is loaded.
const YIELD_INTERVAL_MS = 100;

/** A spec that was loaded but not started. */
interface PendingRun {
  readonly run: CompiledRun;
  readonly request: OpenRequest;
  /** Of the data files that it was made of. */
  readonly versions: FileVersions;
}

export class WorkerService implements WorkerCalls {
  readonly #options: WorkerServiceOptions;
  #runner: Runner | null = null;
  /** Sends pending records; see CheckpointThrottle. */
  #flushCheckpoints: () => Promise<void> = () => Promise.resolve();
  #activeChecks = 0;
  #isLoading = false;
  #isCancelled = false;
  #pendingRun: PendingRun | null = null;
  #replayThreads: EngineReplayThreads | undefined;
  /** Milliseconds that one phase of the run may take. */
  #phaseGracePeriod = 0;

  constructor(options: WorkerServiceOptions) {
    this.#options = options;
  }

  warmUp(): Promise<void> {
    return this.#withGracePeriod(this.#options.loadingGracePeriod, warmUp);
  }

  load(request: OpenRequest): Promise<SpecLoadResult> {
    const { loadingGracePeriod, layerWatch } = this.#options;
    const { text, folder, root } = request;
    return this.#withGracePeriod(loadingGracePeriod, async () => {
      const parsed = parseSpec(text);
      const spec = request.allowCustomLayers ? parsed.spec : undefined;
      layerWatch.registerLayers(spec, { folder, root });
      const customLayers = spec && (await importCustomLayers(spec, { folder, root }, layerWatch));
      const files = new FolderFiles(request);
      try {
        this.#isCancelled = false;
        this.#isLoading = true;
        const loaded = await this.#runCooperatively(openSpecTask(parsed, files, customLayers, request.ruleSettings));
        this.#pendingRun = loaded?.run ? { run: loaded.run, request, versions: files.versions } : null;
        return loaded
          ? { ok: loaded.run !== undefined, problems: loaded.problems }
          : { ok: false, problems: [], cancelled: true };
      } finally {
        this.#isLoading = false;
        files.close();
      }
    });
  }

  startRun(record: RunRecord | null): Promise<RunStarted> {
    const pending = this.#pendingRun;
    if (!pending) throw new Error('No spec was loaded.');
    this.#pendingRun = null;
    return this.#withGracePeriod(this.#options.loadingGracePeriod, async () => {
      const { run, request, versions } = pending;
      const { text, checkpointBudget, simd256 } = request;
      const { activity, threadPool } = this.#options;
      // Custom layers run in this worker only, which is watched.
      const replayThreads = hasCustomCode(run.model) ? undefined : this.#options.createReplayThreads(request, versions);
      const options: SessionOptions = {
        now: () => performance.now(),
        openDataFiles: () => new FolderFiles(request, undefined, versions),
        checkpointBudget,
        activity: activity.slots,
        threadPool,
        simd256: simd256 ? this.#options.simd256 : undefined,
        replayThreads,
      };
      let session: TrainingSession;
      let restarted: string | undefined;
      try {
        const isSameData = record?.dataHash === undefined || record.dataHash === hashData(run);
        session =
          record && isSameData ? TrainingSession.resume(run, record, options) : new TrainingSession(run, text, options);
        if (!isSameData) restarted = 'The data has changed, so the run started over.';
      } catch (error) {
        // The text is the same, so the code of a layer has changed its parameters.
        if (!(error instanceof RangeError && hasCustomCode(run.model))) throw error;
        session = new TrainingSession(run, text, options);
        restarted = 'The parameters of the layers have changed, so the run started over.';
      }
      const { model } = session;
      await this.#runner?.dispose();
      this.#replayThreads?.stop();
      this.#replayThreads = replayThreads;
      threadPool.detach();
      this.#options.onPhaseNames(
        model.phases.map((phase) =>
          describePhase(
            phase,
            model.layers.map(({ name }) => name),
          ),
        ),
      );
      this.#runner = this.#createRunner(session);
      this.#phaseGracePeriod = phaseGracePeriod(model);
      return {
        model,
        furthestStep: session.furthestStep,
        ...(restarted !== undefined && { restartReason: restarted }),
      };
    });
  }

  /** Work that may take longer than a step. @param gracePeriod milliseconds */
  async #withGracePeriod<Result>(gracePeriod: number, work: () => Promise<Result>): Promise<Result> {
    const { activity } = this.#options;
    activity.setKind('load');
    activity.setGracePeriod(gracePeriod);
    try {
      return await work();
    } finally {
      activity.setKind('idle');
      activity.setGracePeriod(this.#phaseGracePeriod);
    }
  }

  async cancelOpen(): Promise<void> {
    this.#isCancelled = this.#isLoading;
  }

  async command(command: SessionCommand): Promise<void> {
    const runner = this.#requireRunner();
    this.#options.activity.setKind('train');
    await runner.command(command);
    if (isManualChange(command)) await this.#flushCheckpoints();
  }

  async subscribe(probes: readonly ProbeId[], questions: readonly ViewQueries[]): Promise<void> {
    this.#requireRunner().subscribe(probes, questions);
  }

  async query(question: Query): Promise<QueryResult> {
    return this.#requireRunner().query(question);
  }

  async setBreakpoints(breakpoints: readonly Breakpoint[]): Promise<readonly BreakpointStatus[]> {
    return this.#requireRunner().setBreakpoints(breakpoints);
  }

  async check(): Promise<CheckReport> {
    const runner = this.#requireRunner();
    this.#activeChecks++;
    try {
      return await runner.check();
    } finally {
      this.#activeChecks--;
    }
  }

  async cancelCheck(): Promise<void> {
    this.#requireRunner().cancelCheck();
  }

  async captureRecord(): Promise<RunRecord | null> {
    return this.#runner?.record() ?? null;
  }

  async getHotReloadState(): Promise<HotReloadState | null> {
    return (await this.#runner?.getHotReloadState()) ?? null;
  }

  /**
   * Runs the task and regularly lets the event loop turn, which counts as a sign of life and allows cancelling. Null if
   * it was cancelled.
   */
  async #runCooperatively<Result>(task: CooperativeTask<Result>): Promise<Result | null> {
    let lastYield = performance.now();
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
      if (performance.now() - lastYield < YIELD_INTERVAL_MS) continue;
      this.#options.activity.heartbeat();
      void this.#options.events().loading.asEvent(value);
      await yieldToEventLoop();
      if (this.#isCancelled) return null;
      lastYield = performance.now();
    }
  }

  #requireRunner(): Runner {
    if (!this.#runner) throw new Error('No run is open.');
    return this.#runner;
  }

  #createRunner(session: TrainingSession): Runner {
    const { activity, events } = this.#options;
    // The host must know of the new run before any of its events, so the answer to `open` is sent first.
    const opened = yieldToEventLoop();
    const checkpoints = new CheckpointThrottle({
      now: () => performance.now(),
      schedule: (milliseconds, work) => void setTimeout(work, milliseconds),
      send: async (record) => {
        if (this.#runner === runner) await events().checkpoint(record);
      },
    });
    this.#flushCheckpoints = async () => {
      await opened;
      await checkpoints.flush();
    };
    const runner: Runner = new Runner({
      session,
      emit: async (frame) => {
        await opened;
        for (const part of splitMessage(frame)) if (this.#runner === runner) await events().frame(part);
      },
      now: () => performance.now(),
      sleep: (milliseconds) => (milliseconds > 0 ? delay(milliseconds) : yieldToEventLoop()),
      heartbeat: (busy) => {
        activity.heartbeat();
        activity.setKind(this.#activeChecks > 0 ? 'check' : busy ? 'train' : 'idle');
      },
      // An internal error ends the process: the supervisor receives it as an uncaught exception and reports it.
      onError: (error) =>
        void setImmediate(() => {
          throw error;
        }),
      onFault: (fault) => void opened.then(() => events().fault.asEvent(fault)),
      onQueryError: (message) => void events().log.asEvent('error', `A view cannot be computed: ${message}`, null),
      onState: (state) => void opened.then(() => events().stateChanged.asEvent(state)),
      onLogpoints: async (messages) => {
        await opened;
        // Without a host, this process is about to end.
        if (this.#runner === runner) await Promise.resolve(events().logpoints(messages)).catch(() => undefined);
      },
      onRecord: (record) => void opened.then(() => checkpoints.push(record)),
      onCheckProgress: (progress) => void events().checkProgress.asEvent(progress),
      onScheduledCheck: (report) => void events().checkFinished.asEvent(report),
    });
    return runner;
  }
}

const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));
const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Milliseconds that the slowest phase of a step may take. */
function phaseGracePeriod({ batchSize, parameterCount }: ModelInfo): number {
  return (batchSize * parameterCount * NS_PER_MULTIPLY_ADD) / 1e6;
}
