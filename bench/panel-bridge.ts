// Connects an engine process that trains to a page with the panel, like the extension does, and counts the messages.
import type { Frame } from '../src/protocol/frame';
import type { ModelInfo } from '../src/protocol/model-info';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { serialize } from 'node:v8';
import { History } from '../src/history/history';
import { splitMessage, createAssembler } from '../src/chunking/chunks';
import { ProcessClient } from '../src/process/process-client';
import type { PanelRequests, PanelSnapshot } from '../src/protocol/panel';
import type { PanelHost, PanelMessage } from '../test/webview/harness/page';

const MILLISECONDS = 2500;
const text = readFileSync(join(resolve('examples'), 'circles.nabla.json'), 'utf8').replace(
  /"epochs": \d+/,
  '"epochs": 10000000',
);

/**
 * `hidden`: no subscription; `measured`: everything is measured and frames are acknowledged at once; `drawn`: frames
 * are drawn too.
 */
export type WatchMode = 'hidden' | 'measured' | 'drawn';
/** Runs alongside the training until `ended` returns true. */
export type BackgroundTask = (ended: () => boolean) => Promise<unknown>;
/** Number of frames that are kept for replaying. */
const REPLAY_FRAMES = 60;

/** Passes messages between the engine process and the page, like the extension does. */
export class PanelBridge implements PanelHost {
  readonly #history = new History();
  readonly frameSizes: number[] = [];
  /** Number of frames that were drawn. */
  drawnFrames = 0;
  watchMode: WatchMode = 'drawn';
  frame: Frame | null = null;
  #replayFrames: Frame[] = [];
  #sequence = 1e6;
  #subscription: Parameters<PanelRequests['subscribe']> | null = null;
  #model: ModelInfo | null = null;
  #send: (message: PanelMessage) => Promise<void> = () => Promise.resolve();
  #releaseFrame: () => void = () => undefined;
  #stepWaiters: { readonly step: number; readonly go: () => void }[] = [];
  readonly engine = new ProcessClient({
    file: resolve('dist', 'engine-process.js'),
    events: {
      frame: createAssembler((frame: Frame) => this.#emit(frame)),
      checkProgress: () => undefined,
      loading: () => undefined,
      checkFinished: () => undefined,
      fault: ({ message }) => console.error(message),
      log: () => undefined,
      checkpoint: () => undefined,
      stateChanged: () => undefined,
      logpoints: () => undefined,
      simd256Enabled: () => undefined,
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

  connect(send: (message: PanelMessage) => Promise<void>): void {
    this.#send = send;
  }

  /** The requests that a panel makes without user actions. */
  readonly requests = {
    ready: () => {
      this.#releaseFrame();
      void this.#send({ type: 'snapshot', snapshot: this.#snapshot() });
    },
    subscribe: async (probes, queries) => {
      this.#subscription = [probes, queries];
      if (this.#isWatching) await this.engine.calls.subscribe(probes, queries);
    },
    query: (query) => this.engine.calls.query(query),
    command: () => Promise.resolve(),
  } satisfies Partial<PanelRequests> as unknown as PanelRequests;

  async watch(watched: WatchMode): Promise<void> {
    this.watchMode = watched;
    this.#releaseFrame();
    const [probes, queries] = (this.#isWatching ? this.#subscription : null) ?? [[], []];
    await this.engine.calls.subscribe(probes, queries);
    if (watched === 'drawn') await this.#send({ type: 'snapshot', snapshot: this.#snapshot() });
  }

  get #isWatching(): boolean {
    return this.watchMode === 'drawn' || this.watchMode === 'measured';
  }

  /** Redraws earlier frames at this rate until `ended` returns true. */
  async replay(framesPerSecond: number, ended: () => boolean): Promise<void> {
    for (let i = 0; !ended(); i++) {
      const start = performance.now();
      await this.#sendFrame({ ...this.#replayFrames[i % this.#replayFrames.length], sequence: ++this.#sequence });
      await wait(Math.max(0, 1000 / framesPerSecond - (performance.now() - start)));
    }
  }

  /** Trains up to a step, and waits until it was painted. */
  async runTo(step: number): Promise<void> {
    const reached = new Promise<void>((go) => this.#stepWaiters.push({ step, go }));
    await this.engine.calls.command({ type: 'runToStep', step });
    await reached;
  }

  /** Steps and frames per second during training. */
  async measureSpeed(beside?: BackgroundTask): Promise<{ readonly steps: number; readonly frames: number }> {
    await this.engine.calls.command({ type: 'run' });
    let ended = false;
    const other = beside?.(() => ended);
    await wait(500);
    const from = await this.#currentStep();
    const [start, drawn] = [performance.now(), this.drawnFrames];
    await wait(MILLISECONDS);
    const to = await this.#currentStep();
    const seconds = (performance.now() - start) / 1000;
    const frames = (this.drawnFrames - drawn) / seconds;
    ended = true;
    await other;
    await this.engine.calls.command({ type: 'pause' });
    return { steps: (to - from) / seconds, frames };
  }

  /** The current step, which every answer contains. */
  async #currentStep(): Promise<number> {
    const { position } = await this.engine.calls.query({ type: 'weight_history', parameter: '', index: 0 });
    return position.step;
  }

  async #sendFrame(frame: Frame): Promise<void> {
    const released = new Promise<void>((resolve) => (this.#releaseFrame = resolve));
    const drawn = this.#send({ type: 'frame', frame }).then(() => void this.drawnFrames++);
    await Promise.race([drawn, released]);
  }

  #snapshot(): PanelSnapshot {
    return {
      file: 'circles.nabla.json',
      state: { kind: 'run' },
      problems: [],
      model: this.#model,
      frame: this.frame,
      history: this.#history.data(),
      check: null,
      checking: null,
      undo: null,
    };
  }

  async #emit(frame: Frame): Promise<void> {
    if (frame.truncatedTo !== null) this.#history.truncate(frame.truncatedTo);
    this.#history.merge(frame.history);
    this.frame = frame;
    if (this.watchMode === 'drawn') {
      this.frameSizes.push(...splitMessage({ type: 'frame', frame }).map((part) => serialize(part).length));
      if (frame.status === 'running') this.#replayFrames = [...this.#replayFrames, frame].slice(-REPLAY_FRAMES);
      await this.#sendFrame(frame);
    }
    for (const { step, go } of this.#stepWaiters) if (frame.position.step === step && frame.target === null) go();
    this.#stepWaiters = this.#stepWaiters.filter(({ step }) => frame.position.step !== step || frame.target !== null);
  }
}

export const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
