// Answers the calls of the host: opens specs, hands commands to the runner of the open one. One run at a
// time; a spec that cannot run leaves the one before alone.
import type { EngineCalls, HostCalls, OpenRequest, OpenResult } from '../protocol/engine';
import type { CheckReport } from '../protocol/panel';
import type { SessionCommand } from '../session/command';
import type { ModelInfo, ProbeId } from '../session/frame';
import type { Answered, Question } from '../session/questions';
import type { RunRecord } from '../session/record';
import { Runner } from '../session/runner';
import { TrainingSession } from '../session/session';
import type { InPieces } from '../engine/pieces';
import type { ActivityCell } from './activity';
import { FolderFiles } from '../files/data-files';
import { openingSpec } from '../session/load';
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
  /** Told what the phases of a new run's steps are called. */
  readonly named: (phases: readonly string[]) => void;
  readonly host: () => HostVoice;
}

// Slow kernels on a slow machine, for one multiply-add.
const NANOSECONDS = 20;
// While a spec is loaded.
const TURN_MS = 100;

export class Engine implements EngineCalls {
  readonly #options: EngineOptions;
  #runner: Runner | null = null;
  #checking = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  async open(request: OpenRequest): Promise<OpenResult> {
    const { activity, loading, named } = this.#options;
    activity.begin('load');
    let { allowance } = activity.read();
    activity.allow(loading);
    const files = new FolderFiles(request);
    try {
      const { run, problems } = await this.#inTurns(openingSpec(request.text, files));
      if (!run) return { ok: false, problems };
      const options = { checkpointBudget: request.checkpointBudget, activity: activity.cells };
      const session = request.record
        ? TrainingSession.resume(run, request.record, options)
        : new TrainingSession(run, request.text, options);
      const { model } = session;
      await this.#runner?.dispose();
      named(model.phases.map((phase) => describePhase(phase, model.layers.map(({ name }) => name))));
      this.#runner = this.#start(session);
      allowance = longestPhase(model);
      return { ok: true, model, problems };
    } finally {
      files.close();
      activity.begin('rest');
      activity.allow(allowance);
    }
  }

  async command(command: SessionCommand): Promise<void> {
    const runner = this.#open();
    this.#options.activity.begin('train');
    await runner.command(command);
  }

  async need(probes: readonly ProbeId[], questions: readonly Question[]): Promise<void> {
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

  /** Does the work, and lets the event loop turn now and then: that is a sign of life, and lets others be heard. */
  async #inTurns<Result>(work: InPieces<Result>): Promise<Result> {
    let since = performance.now();
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      if (performance.now() - since < TURN_MS) continue;
      this.#options.activity.beat();
      void this.#options.host().loading.asEvent(value);
      await nextTurn();
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
        if (this.#runner === runner) await host().frame(frame);
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
      onRecord: (record) => void opened.then(() => records.add(record)),
      onCheckProgress: (checked, entries) => void host().checkProgress.asEvent(checked, entries),
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
