// Stands between an engine process that trains and a page with the panel, as the extension does: it hands messages on, and
// counts what goes by.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { serialize } from 'node:v8';
import { History } from '../src/history/history';
import { cut, joining } from '../src/parts/parts';
import { EngineClient } from '../src/process/client';
import type { FromPanel, PanelSnapshot, ToPanel } from '../src/protocol/panel';
import type { Frame, ModelInfo } from '../src/session/frame';
import type { PanelHost } from '../test/webview/harness/page';

const MILLISECONDS = 2500;
const text = readFileSync(join(resolve('examples'), 'circles.nabla.json'), 'utf8').replace(/"epochs": \d+/, '"epochs": 10000000');

/** Nobody looks; all is measured, and frames land at once; they are drawn, too. */
export type Watched = 'hidden' | 'measured' | 'drawn';
/** Goes on beside the run until it is told that it ended. */
export type Beside = (ended: () => boolean) => Promise<unknown>;
/** Frames of the run that are kept to be drawn once more. */
const KEPT = 60;

/** Hands messages on between the engine's process and the page, as the extension does. */
export class Bridge implements PanelHost {
  readonly #history = new History();
  readonly sizes: number[] = [];
  /** Frames that were drawn. */
  drawn = 0;
  watched: Watched = 'drawn';
  frame: Frame | null = null;
  #kept: Frame[] = [];
  #sequence = 1e6;
  #needs: Extract<FromPanel, { type: 'need' }> | null = null;
  #model: ModelInfo | null = null;
  #send: (message: ToPanel) => Promise<void> = () => Promise.resolve();
  #land: (() => void) | null = null;
  #waiting: { readonly step: number; readonly go: () => void }[] = [];
  readonly engine = new EngineClient({
    file: resolve('dist', 'engine-process.js'),
    host: {
      frame: joining((frame: Frame) => this.#emit(frame)),
      checkProgress: () => undefined, loading: () => undefined, checked: () => undefined,
      fault: ({ message }) => console.error(message),
      log: () => undefined, checkpoint: () => undefined, triesWideVectors: () => undefined,
    },
    onExit: (reason) => {
      throw new Error(reason);
    },
  });

  async open(): Promise<void> {
    const result = await this.engine.calls.open({ text, folder: resolve('examples'), root: null });
    if (!result.ok) throw new Error('The spec could not be opened.');
    this.#model = result.model;
  }

  connect(send: (message: ToPanel) => Promise<void>): void {
    this.#send = send;
  }

  async receive(message: FromPanel): Promise<void> {
    const { calls } = this.engine;
    // Only what a panel that nobody touches says.
    if (message.type === 'ready') {
      this.#land?.();
      await this.#send({ type: 'snapshot', snapshot: this.#snapshot() });
    } else if (message.type === 'taken') {
      this.drawn++;
      this.#land?.();
    } else if (message.type === 'need') {
      this.#needs = message;
      if (this.#looks) await calls.need(message.probes, message.questions);
    } else if (message.type === 'ask') {
      await this.#send({ type: 'answer', id: message.id, answered: await calls.ask(message.question) });
    }
  }

  async watch(watched: Watched): Promise<void> {
    this.watched = watched;
    this.#land?.();
    const needs = this.#looks ? this.#needs : null;
    await this.engine.calls.need(needs?.probes ?? [], needs?.questions ?? []);
    if (watched === 'drawn') await this.#send({ type: 'snapshot', snapshot: this.#snapshot() });
  }

  get #looks(): boolean {
    return this.watched === 'drawn' || this.watched === 'measured';
  }

  /** Has the page draw what it drew before, at a pace, until told to end. */
  async replay(framesPerSecond: number, ended: () => boolean): Promise<void> {
    for (let i = 0; !ended(); i++) {
      const start = performance.now();
      await this.#show({ ...this.#kept[i % this.#kept.length], sequence: ++this.#sequence });
      await wait(Math.max(0, 1000 / framesPerSecond - (performance.now() - start)));
    }
  }

  /** Trains up to a step, and waits until it was painted. */
  async runTo(step: number): Promise<void> {
    const reached = new Promise<void>((go) => this.#waiting.push({ step, go }));
    await this.engine.calls.command({ type: 'runToStep', step });
    await reached;
  }

  /** Steps and frames a second while it trains. */
  async speed(beside?: Beside): Promise<{ readonly steps: number; readonly frames: number }> {
    await this.engine.calls.command({ type: 'run' });
    let ended = false;
    const other = beside?.(() => ended);
    await wait(500);
    const from = await this.#step();
    const [start, drawn] = [performance.now(), this.drawn];
    await wait(MILLISECONDS);
    const to = await this.#step();
    const seconds = (performance.now() - start) / 1000;
    const frames = (this.drawn - drawn) / seconds;
    ended = true;
    await other;
    await this.engine.calls.command({ type: 'pause' });
    return { steps: (to - from) / seconds, frames };
  }

  /** Where the run stands: every answer says so. */
  async #step(): Promise<number> {
    const { position } = await this.engine.calls.ask({ about: 'weight_history', parameter: '', index: 0 });
    return position.step;
  }

  async #show(frame: Frame): Promise<void> {
    const painted = new Promise<void>((resolve) => (this.#land = resolve));
    await this.#send({ type: 'frame', frame });
    await painted;
    this.#land = null;
  }

  #snapshot(): PanelSnapshot {
    return {
      file: 'circles.nabla.json', state: { kind: 'run' }, problems: [], model: this.#model, frame: this.frame,
      history: this.#history.data(), check: null, checking: null, undo: null,
    };
  }

  async #emit(frame: Frame): Promise<void> {
    if (frame.truncatedTo !== null) this.#history.truncate(frame.truncatedTo);
    this.#history.merge(frame.history);
    this.frame = frame;
    if (this.watched === 'drawn') {
      this.sizes.push(...cut({ type: 'frame', frame }).map((part) => serialize(part).length));
      if (frame.status === 'running') this.#kept = [...this.#kept, frame].slice(-KEPT);
      await this.#show(frame);
    }
    for (const { step, go } of this.#waiting) if (frame.position.step === step && frame.target === null) go();
    this.#waiting = this.#waiting.filter(({ step }) => frame.position.step !== step || frame.target !== null);
  }
}

export const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
