// The other side of a panel under test: a real session, run as the engine process runs it, in place of the
// extension host and its process. It answers what the panel sends and keeps every message for a test to look at.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { History } from '../../../src/history/history';
import type { FromPanel, PanelProblem, PanelSnapshot, PanelState, ToPanel } from '../../../src/protocol/panel';
import type { Frame } from '../../../src/session/frame';
import { Runner } from '../../../src/session/runner';
import { TrainingSession } from '../../../src/session/session';
import { loadRun } from '../../../src/spec';
import type { LayerCode } from '../../../src/spec/layer-code';
import { filesIn } from '../../support/files';

export const examples = resolve(__dirname, '../../../examples');

export const readExample = (name: string): string => readFileSync(join(examples, `${name}.nabla.json`), 'utf8');

export interface HostOptions {
  readonly file?: string;
  /** Folder that data files of the spec lie in. */
  readonly folder?: string;
  /** Layers of the user's own, by their place in the spec. */
  readonly code?: LayerCode;
}

export class FakeHost {
  readonly received: FromPanel[] = [];
  /** Sequence numbers of the frames that went to a page. */
  readonly sent: number[] = [];
  readonly history = new History();
  readonly session: TrainingSession | null;
  readonly #runner: Runner | null;
  readonly #waiting: { readonly done: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = [];
  readonly #file: string;
  /** What the panel is told to be; a run where there is one. */
  state: PanelState;
  problems: readonly PanelProblem[] = [];
  frame: Frame | null = null;
  /** Settles the frame that is on its way. */
  #land: (() => void) | null = null;
  #send: ((message: ToPanel) => Promise<void>) | null = null;
  #error: unknown = null;

  /** @param text a spec; null for a panel without a run */
  constructor(text: string | null, { file = 'circles.nabla.json', folder = examples, code }: HostOptions = {}) {
    this.#file = file;
    this.state = text === null ? { kind: 'loading', text: 'Reading the spec …' } : { kind: 'run' };
    if (text === null) {
      this.session = null;
      this.#runner = null;
      return;
    }
    const { run, problems } = loadRun(text, filesIn(folder), { code });
    if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
    this.session = new TrainingSession(run, text, { now: () => performance.now() });
    this.#runner = new Runner({
      session: this.session,
      emit: (frame) => this.#emit(frame),
      now: () => performance.now(),
      pause: () => new Promise((go) => setImmediate(go)),
      fail: (error) => (this.#error = error),
      onCheckProgress: (progress) => void this.send({ type: 'checking', progress }),
      onChecked: (report) => void this.send({ type: 'check', report }),
    });
  }

  /** Joins a page; from now on messages go there. */
  connect(send: (message: ToPanel) => Promise<void>): void {
    this.#send = send;
  }

  async send(message: ToPanel): Promise<void> {
    await this.#send?.(message);
  }

  get runner(): Runner {
    if (!this.#runner) throw new Error('This panel has no run.');
    return this.#runner;
  }

  snapshot(): PanelSnapshot {
    return {
      file: this.#file, state: this.state, problems: this.problems, model: this.session?.model ?? null,
      frame: this.frame, history: this.history.data(), check: null, checking: null, undo: null,
    };
  }

  /** What the panel says. */
  async receive(message: FromPanel): Promise<void> {
    this.received.push(message);
    switch (message.type) {
      case 'ready':
        this.#land?.();
        return this.send({ type: 'snapshot', snapshot: this.snapshot() });
      case 'taken':
        if (message.sequence === this.frame?.sequence) this.#land?.();
        return;
      case 'need':
        this.#runner?.need(message.probes, message.questions);
        return;
      case 'ask':
        return this.send({ type: 'answer', id: message.id, answered: await this.runner.ask(message.question) });
      case 'command':
        // Told to every run that a page shows, also to those of tests that show one without a runner.
        if (message.command.type === 'setSpeed' && !this.#runner) return;
        return this.runner.command(message.command).catch((error: unknown) => this.#tell(error));
      case 'check':
        return this.send({ type: 'check', report: await this.runner.check() });
      case 'cancelCheck':
        return this.runner.cancelCheck();
      case 'sweep':
      case 'select':
      case 'reveal':
      case 'undo':
      case 'restore':
      case 'startOver':
      case 'copy':
      case 'save':
      case 'allowCode':
      case 'manageTrust':
        // Only kept: what happens then is the extension's business.
        return;
    }
  }

  /** The next frame that fulfils a condition, or the last one if it does already. */
  async until(done: (frame: Frame) => boolean): Promise<Frame> {
    if (this.#error) throw this.#error;
    if (this.frame && done(this.frame)) return this.frame;
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  /** Messages of one kind, in their order. */
  of<Type extends FromPanel['type']>(type: Type): Extract<FromPanel, { type: Type }>[] {
    return this.received.filter((message): message is Extract<FromPanel, { type: Type }> => message.type === type);
  }

  async dispose(): Promise<void> {
    this.#send = null;
    this.#land?.();
    await this.#runner?.dispose();
  }

  async #emit(frame: Frame): Promise<void> {
    if (frame.truncatedTo !== null) this.history.truncate(frame.truncatedTo);
    this.history.merge(frame.history);
    this.frame = frame;
    const painted = this.#send
      ? new Promise<void>((resolve) => {
          this.#land = () => {
            this.#land = null;
            resolve();
          };
        })
      : Promise.resolve();
    if (this.#send) this.sent.push(frame.sequence);
    await this.send({ type: 'frame', frame });
    await painted;
    for (const waiter of [...this.#waiting]) {
      if (!waiter.done(frame)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(frame);
    }
  }

  #tell(error: unknown): Promise<void> {
    return this.send({ type: 'notice', level: 'warning', text: error instanceof Error ? error.message : String(error) });
  }
}
