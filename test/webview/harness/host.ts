// The host of a panel under test: a real session, run as in the engine process, instead of the extension host and its
// process. It answers the panel and records every message.
import type { Frame } from '../../../src/protocol/frame';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { History } from '../../../src/history/history';
import type {
  PanelProblem,
  PanelRequests,
  PanelSnapshot,
  PanelState,
  Query,
  QueryResult,
} from '../../../src/protocol/panel';
import { Runner } from '../../../src/session/runner';
import { TrainingSession } from '../../../src/session/session';
import { loadRun } from '../../../src/model-spec';
import type { CustomLayerProvider } from '../../../src/model-spec/custom-layers';
import { folderFiles } from '../../support/data-files';
import type { PanelHost, PanelMessage } from './page';

export const examples = resolve(__dirname, '../../../examples');

export const readExample = (name: string): string => readFileSync(join(examples, `${name}.nabla.json`), 'utf8');

export interface HostOptions {
  readonly file?: string;
  /** Folder of the spec's data files. */
  readonly folder?: string;
  /** Custom layers, by their index in the spec. */
  readonly code?: CustomLayerProvider | undefined;
}

type NamedRequest = {
  [Name in keyof PanelRequests]: { readonly name: Name; readonly args: Parameters<PanelRequests[Name]> };
}[keyof PanelRequests];

/** A recorded request. */
export interface RecordedRequest {
  readonly name: keyof PanelRequests;
  readonly args: readonly unknown[];
}

export class FakeHost implements PanelHost {
  /** Requests of the page, in order. */
  readonly received: RecordedRequest[] = [];
  /** Sequence numbers of the frames that were sent to a page. */
  readonly sent: number[] = [];
  /** Sequence numbers of the frames that the page has drawn. */
  readonly drawn: number[] = [];
  readonly history = new History();
  readonly session: TrainingSession | null;
  readonly #runner: Runner | null;
  readonly #waiting: { readonly done: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = [];
  readonly #file: string;
  /** The state that is sent to the panel; a run if there is one. */
  state: PanelState;
  problems: readonly PanelProblem[] = [];
  frame: Frame | null = null;
  /** Stops waiting for the acknowledgment of the last frame. */
  #releaseFrame: () => void = () => undefined;
  #send: ((message: PanelMessage) => Promise<void>) | null = null;
  #error: unknown = null;

  /** @param text a spec; null for a panel without a run */
  constructor(
    text: string | null,
    { file = 'circles.nabla.json', folder = examples, code: customLayers }: HostOptions = {},
  ) {
    this.#file = file;
    this.state = text === null ? { kind: 'loading', text: 'Reading the spec …' } : { kind: 'run' };
    if (text === null) {
      this.session = null;
      this.#runner = null;
      return;
    }
    const { run, problems } = loadRun(text, folderFiles(folder), { customLayers });
    if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
    this.session = new TrainingSession(run, text, {
      now: () => performance.now(),
      openDataFiles: () => ({ ...folderFiles(folder), close: () => undefined }),
    });
    this.#runner = new Runner({
      session: this.session,
      emit: (frame) => this.#emit(frame),
      now: () => performance.now(),
      sleep: () => new Promise((go) => setImmediate(go)),
      onError: (error) => (this.#error = error),
      onCheckProgress: (progress) => void this.send({ type: 'checking', progress }),
      onScheduledCheck: (report) => void this.send({ type: 'check', report }),
    });
  }

  /** Connects a page that receives messages from now on. */
  connect(send: (message: PanelMessage) => Promise<void>): void {
    this.#send = send;
  }

  async send(message: PanelMessage): Promise<void> {
    await this.#send?.(message);
  }

  get runner(): Runner {
    if (!this.#runner) throw new Error('This panel has no run.');
    return this.#runner;
  }

  snapshot(): PanelSnapshot {
    return {
      file: this.#file,
      state: this.state,
      problems: this.problems,
      model: this.session?.model ?? null,
      frame: this.frame,
      history: this.history.data(),
      check: null,
      checking: null,
      undo: null,
    };
  }

  /** Records every request; those for the editor have no further effect. */
  readonly requests = new Proxy({} as PanelRequests, {
    get:
      (_, name: keyof PanelRequests) =>
      async (...args: unknown[]) => {
        this.received.push({ name, args });
        return this.#answer({ name, args } as NamedRequest);
      },
    has: () => true,
  });

  async #answer({ name, args }: NamedRequest): Promise<unknown> {
    switch (name) {
      case 'ready':
        this.#releaseFrame();
        return this.send({ type: 'snapshot', snapshot: this.snapshot() });
      case 'subscribe':
        return this.#runner?.subscribe(...args);
      case 'query':
        return this.answerQuery(...args);
      case 'command':
        // Every page with a run sets its speed, also in tests without a runner.
        if (args[0].type === 'setSpeed' && !this.#runner) return undefined;
        return this.runner.command(...args).catch((error: unknown) => this.#sendError(error));
      case 'check':
        return this.send({ type: 'check', report: await this.runner.check() });
      case 'cancelCheck':
        return this.runner.cancelCheck();
      case 'sweep':
      case 'openSweepRun':
      case 'doctor':
      case 'applyFix':
      case 'revealFinding':
      case 'selectLayer':
      case 'revealProblem':
      case 'revealDiagnosis':
      case 'applyQuickFix':
      case 'debugLayer':
      case 'undo':
      case 'restore':
      case 'startOver':
      case 'copyText':
      case 'saveFile':
      case 'allowCode':
      case 'manageTrust':
      case 'openAnswer':
      case 'lecture':
      case 'highlight':
        return undefined;
    }
  }

  protected answerQuery(query: Query): Promise<QueryResult> {
    return this.runner.query(query);
  }

  /** The next frame that satisfies a condition, or the last one if it does. */
  async waitForFrame(done: (frame: Frame) => boolean): Promise<Frame> {
    if (this.#error) throw this.#error;
    if (this.frame && done(this.frame)) return this.frame;
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  /** The arguments of each call to a request, in order. */
  callsTo<Name extends keyof PanelRequests>(name: Name): Parameters<PanelRequests[Name]>[] {
    return this.received
      .filter((request) => request.name === name)
      .map(({ args }) => args as Parameters<PanelRequests[Name]>);
  }

  async dispose(): Promise<void> {
    this.#send = null;
    this.#releaseFrame();
    await this.#runner?.dispose();
  }

  async #emit(frame: Frame): Promise<void> {
    if (frame.truncatedTo !== null) this.history.truncate(frame.truncatedTo);
    this.history.merge(frame.history);
    this.frame = frame;
    if (this.#send) {
      this.sent.push(frame.sequence);
      const released = new Promise<void>((resolve) => (this.#releaseFrame = resolve));
      const drawn = this.send({ type: 'frame', frame }).then(() => void this.drawn.push(frame.sequence));
      await Promise.race([drawn, released]);
    }
    for (const waiter of [...this.#waiting]) {
      if (!waiter.done(frame)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(frame);
    }
  }

  #sendError(error: unknown): Promise<void> {
    return this.send({
      type: 'notice',
      level: 'warning',
      text: error instanceof Error ? error.message : String(error),
    });
  }
}
