// Computes for the supervisor: opens specs, hands commands to the runner of the open one. One run at a
// time; a spec that cannot run leaves the one before alone.
import path from 'node:path';
import { customLayers, loadLayers } from '../code/load-layers';
import type { HostCalls, OpenRequest } from '../protocol/engine';
import type { CheckReport } from '../protocol/panel';
import type { Team } from '../engine/kernels/team';
import type { WideVectors } from '../engine/kernels/wide';
import { cut } from '../parts/parts';
import type { SessionCommand } from '../session/command';
import type { ModelInfo, ProbeId } from '../session/frame';
import type { Answered, Asking, Question } from '../session/questions';
import type { HandedOver } from '../session/hand-over';
import type { RunRecord } from '../session/record';
import { hasOwnCode } from '../engine/network';
import { Runner } from '../session/runner';
import { TrainingSession } from '../session/session';
import { type CompiledRun, parseSpec } from '../spec';
import type { InPieces } from '../engine/pieces';
import type { ActivityCell } from './activity';
import { FolderFiles } from '../files/data-files';
import { openingSpec } from '../session/load';
import type { Begun, Loaded, WorkerCalls } from './messages';
import type { OwnCodeWatch } from './own-code-watch';
import { warmUp } from './warm-up';
import { RecordPost } from './record-post';
import { describePhase } from './words';

/** What the engine says by itself; `frame` is waited for, the rest is not. */
export type HostVoice = Pick<HostCalls, 'frame'> & {
  readonly [Name in Exclude<keyof HostCalls, 'frame'>]: { asEvent(...args: Parameters<HostCalls[Name]>): Promise<void> };
};

export interface EngineOptions {
  readonly activity: ActivityCell;
  /** Milliseconds that loading a spec may take beyond the usual limit. */
  readonly loading: number;
  readonly watch: OwnCodeWatch;
  /** Told what the phases of a new run's steps are called. */
  readonly named: (phases: readonly string[]) => void;
  readonly host: () => HostVoice;
  /** Threads that help with large products. */
  readonly team: Team;
  /** Undefined where nobody wants them. */
  readonly wideVectors: WideVectors | undefined;
}

// Slow kernels on a slow machine, for one multiply-add.
const NANOSECONDS = 20;
// While a spec is loaded.
const TURN_MS = 100;

/** A spec that was read and has not begun. */
interface Ready {
  readonly run: CompiledRun;
  readonly request: OpenRequest;
}

export class Engine implements WorkerCalls {
  readonly #options: EngineOptions;
  #runner: Runner | null = null;
  #checking = 0;
  #reading = false;
  #cancelled = false;
  #ready: Ready | null = null;
  /** Milliseconds that one phase of the run may take. */
  #allowance = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  warmUp(): Promise<void> {
    return this.#atLength(this.#options.loading, warmUp);
  }

  load(request: OpenRequest): Promise<Loaded> {
    const { loading, watch } = this.#options;
    const { text, folder, root } = request;
    return this.#atLength(loading, async () => {
      // A long spec is read twice only where it may have layers of its own.
      const { spec } = request.code && text.includes('"custom"') ? parseSpec(text) : { spec: undefined };
      const own = spec ? customLayers(spec) : [];
      watch.expect(Object.fromEntries(own.map(({ index, name, module }) => [index, { name, file: path.resolve(folder, module) }])));
      const code = spec ? await loadLayers(spec, { folder, root }, watch) : undefined;
      const files = new FolderFiles(request);
      try {
        this.#cancelled = false;
        this.#reading = true;
        const loaded = await this.#inTurns(openingSpec(text, files, code));
        this.#ready = loaded?.run ? { run: loaded.run, request } : null;
        return loaded ? { ok: loaded.run !== undefined, problems: loaded.problems } : { ok: false, problems: [], cancelled: true };
      } finally {
        this.#reading = false;
        files.close();
      }
    });
  }

  begin(record: RunRecord | null): Promise<Begun> {
    const ready = this.#ready;
    if (!ready) throw new Error('No spec was loaded.');
    this.#ready = null;
    return this.#atLength(this.#options.loading, async () => {
      const { run, request: { text, checkpointBudget, wideVectors } } = ready;
      const { activity, team } = this.#options;
      const options = { now: () => performance.now(), checkpointBudget, activity: activity.cells, team, wideVectors: wideVectors ? this.#options.wideVectors : undefined };
      let session: TrainingSession;
      let restarted: string | undefined;
      try {
        session = record ? TrainingSession.resume(run, record, options) : new TrainingSession(run, text, options);
      } catch (error) {
        // Of the same text, so it is the code of a layer that declares other parameters now.
        if (!(error instanceof RangeError && hasOwnCode(run.model))) throw error;
        session = new TrainingSession(run, text, options);
        restarted = 'The layers have other parameters now, so the run began anew.';
      }
      const { model } = session;
      await this.#runner?.dispose();
      team.release();
      this.#options.named(model.phases.map((phase) => describePhase(phase, model.layers.map(({ name }) => name))));
      this.#runner = this.#start(session);
      this.#allowance = longestPhase(model);
      return { model, frontier: session.frontier, ...(restarted !== undefined && { restarted }) };
    });
  }

  /** Work that may take longer than a step. @param allowance milliseconds. */
  async #atLength<Result>(allowance: number, work: () => Promise<Result>): Promise<Result> {
    const { activity } = this.#options;
    activity.begin('load');
    activity.allow(allowance);
    try {
      return await work();
    } finally {
      activity.begin('rest');
      activity.allow(this.#allowance);
    }
  }

  async cancelOpen(): Promise<void> {
    this.#cancelled = this.#reading;
  }

  async command(command: SessionCommand): Promise<void> {
    const runner = this.#open();
    this.#options.activity.begin('train');
    await runner.command(command);
  }

  async need(probes: readonly ProbeId[], questions: readonly Asking[]): Promise<void> {
    this.#open().need(probes, questions);
  }

  async ask(question: Question): Promise<Answered> {
    return this.#open().ask(question);
  }

  async check(): Promise<CheckReport> {
    const runner = this.#open();
    this.#checking++;
    try {
      return await runner.check();
    } finally {
      this.#checking--;
    }
  }

  async cancelCheck(): Promise<void> {
    this.#open().cancelCheck();
  }

  async record(): Promise<RunRecord | null> {
    return this.#runner?.record() ?? null;
  }

  async handOver(): Promise<HandedOver | null> {
    return (await this.#runner?.handOver()) ?? null;
  }

  /** Does the work, and lets the event loop turn now and then: that is a sign of life, and lets a cancel be heard. Null where it was. */
  async #inTurns<Result>(work: InPieces<Result>): Promise<Result | null> {
    let since = performance.now();
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      if (performance.now() - since < TURN_MS) continue;
      this.#options.activity.beat();
      void this.#options.host().loading.asEvent(value);
      await nextTurn();
      if (this.#cancelled) return null;
      since = performance.now();
    }
  }

  #open(): Runner {
    if (!this.#runner) throw new Error('No run is open.');
    return this.#runner;
  }

  #start(session: TrainingSession): Runner {
    const { activity, host } = this.#options;
    // The host must learn of the new run before it hears anything from it: the answer to `open` leaves first.
    const opened = nextTurn();
    const records = new RecordPost({
      now: () => performance.now(),
      later: (milliseconds, work) => void setTimeout(work, milliseconds),
      post: (record) => {
        if (this.#runner === runner) void host().checkpoint.asEvent(record);
      },
    });
    const runner: Runner = new Runner({
      session,
      emit: async (frame) => {
        await opened;
        for (const part of cut(frame)) if (this.#runner === runner) await host().frame(part);
      },
      now: () => performance.now(),
      pause: (milliseconds) => (milliseconds > 0 ? later(milliseconds) : nextTurn()),
      beat: (busy) => {
        activity.beat();
        activity.begin(this.#checking > 0 ? 'check' : busy ? 'train' : 'rest');
      },
      // A defect ends the process: thrown where nobody catches it, the supervisor hears of it and says so.
      fail: (error) =>
        void setImmediate(() => {
          throw error;
        }),
      onFault: (fault) => void opened.then(() => host().fault.asEvent(fault)),
      onRecord: (record) => void opened.then(() => records.add(record)),
      onCheckProgress: (progress) => void host().checkProgress.asEvent(progress),
      onChecked: (report) => void host().checked.asEvent(report),
    });
    return runner;
  }
}

const later = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Milliseconds that the slowest phase of a step may well take. */
function longestPhase({ batchSize, parameterCount }: ModelInfo): number {
  return (batchSize * parameterCount * NANOSECONDS) / 1e6;
}
