// The panel in a real Chromium, beside a real engine process that trains as fast as it can: frames a second with six views
// open, what that costs the training, the size of a frame, and the page's memory over a long run. Needs a build
// (`npm run build`). Chromium draws without a graphics card here, on the cores that the engine trains on.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serialize } from 'node:v8';
import type { Browser, Page } from 'playwright-core';
import { History } from '../src/history/history';
import { cut, joining } from '../src/parts/parts';
import { EngineClient } from '../src/process/client';
import type { FromPanel, PanelSnapshot, ToPanel } from '../src/protocol/panel';
import type { Frame, ModelInfo } from '../src/session/frame';
import { openPanel, type PanelHost } from '../test/webview/harness/page';
import { median, percentile, round, table } from './measure';

const VIEWS = ['learn', 'step', 'network', 'fit', 'gradients', 'activations'];
const TURNS = 5;
const MILLISECONDS = 3000;
const text = readFileSync(join(resolve('examples'), 'circles.nabla.json'), 'utf8').replace(/"epochs": \d+/, '"epochs": 10000000');

/**
 * Nobody looks; nobody looks, but beside it the page draws frames of before, as many a second; all is measured, and frames
 * land at once; they are drawn, too. The second says what the page costs that shares the cores, the third what looking does.
 */
type Watched = 'hidden' | 'beside' | 'measured' | 'drawn';
const MODES: readonly Watched[] = ['drawn', 'hidden', 'beside', 'measured'];
/** Frames of the run that are kept to be drawn once more. */
const KEPT = 60;

/** Hands messages on between the engine's process and the page, as the extension does. */
class Bridge implements PanelHost {
  readonly #history = new History();
  readonly sizes: number[] = [];
  painted = 0;
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
    } else if (message.type === 'painted') {
      this.painted++;
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

  /** Steps and frames a second while it trains. @param replayed frames a second to be drawn beside it */
  async speed(replayed = 0): Promise<{ readonly steps: number; readonly frames: number }> {
    await this.engine.calls.command({ type: 'run' });
    let ended = false;
    const beside = replayed > 0 ? this.replay(replayed, () => ended) : null;
    await wait(500);
    const from = await this.#step();
    const [start, painted] = [performance.now(), this.painted];
    await wait(MILLISECONDS);
    const to = await this.#step();
    const seconds = (performance.now() - start) / 1000;
    const frames = (this.painted - painted) / seconds;
    ended = true;
    await beside;
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

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Bytes of the page's objects after everything unused was thrown away. */
async function heapOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

async function main(): Promise<void> {
  const { launchChromium } = (await import(pathToFileURL(resolve('scripts', 'chromium.mjs')).href)) as { launchChromium(): Promise<Browser> };
  const browser = await launchChromium();
  const bridge = new Bridge();
  await bridge.open();
  const panel = await openPanel({
    newPage: async (options) => {
      const page = await (await browser.newContext(options)).newPage();
      const problems: string[] = [];
      page.on('pageerror', ({ message }) => problems.push(message));
      return { page, problems };
    },
  }, bridge, { width: 1900, height: 1200, kept: { view: 'learn', several: true, open: VIEWS } });

  const speeds: Record<Watched, { readonly steps: number; readonly frames: number }[]> = { hidden: [], beside: [], measured: [], drawn: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    for (const mode of MODES) {
      await bridge.watch(mode);
      const pace = speeds.drawn.at(-1)?.frames ?? 0;
      speeds[mode].push(await bridge.speed(mode === 'beside' ? pace : 0));
    }
  }
  const stepsOf = (mode: Watched): number => Math.max(...speeds[mode].map(({ steps }) => steps));
  const costs = (mode: Watched, of: Watched): string => `${round(100 * (stepsOf(of) / stepsOf(mode) - 1))} %`;
  const kilobytes = bridge.sizes.map((size) => size / 1024);

  await bridge.engine.calls.command({ type: 'reset' });
  const heaps: string[][] = [];
  for (const step of [20_000, 100_000, 200_000]) {
    await bridge.runTo(step);
    await panel.settled();
    heaps.push([`page's objects after ${step.toLocaleString('en-US')} steps`, `${round((await heapOf(panel.page)) / 2 ** 20)} MB`, 'flat']);
  }
  console.log(table([`${VIEWS.length} views open, training at full speed`, 'measured', 'goal'], [
    ['frames a second, median', round(median(speeds.drawn.map(({ frames }) => frames))), 'at least 30'],
    ['steps a second, nobody looking', round(stepsOf('hidden')), ''],
    ['steps a second, nobody looking, the page busy beside it', round(stepsOf('beside')), ''],
    ['steps a second, frames measured and sent', round(stepsOf('measured')), ''],
    ['steps a second, and drawn', round(stepsOf('drawn')), ''],
    ['training takes longer by, measured and sent', costs('measured', 'hidden'), 'at most 5 %'],
    ['training takes longer by, and drawn', costs('drawn', 'hidden'), 'at most 5 %'],
    ['of it, for a page that is busy on the same cores', costs('beside', 'hidden'), ''],
    ['a frame, median', `${round(median(kilobytes))} KB`, ''],
    ['a frame, 95 %', `${round(percentile(kilobytes, 0.95))} KB`, ''],
    ['the largest frame', `${round(Math.max(...kilobytes))} KB`, 'at most 100 KB'],
    ...heaps,
  ]));
  if (panel.problems.length > 0) throw new Error(panel.problems.join('\n'));
  await browser.close();
  await bridge.engine.dispose();
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
