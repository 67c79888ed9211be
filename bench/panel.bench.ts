// The panel in a real Chromium, beside a real engine process that trains as fast as it can: frames a second with six views
// open, what that costs the training, where the browser's time goes, the size of a frame, and the page's memory over a long
// run. Needs a build (`npm run build`). Chromium draws without a graphics card here, on the cores that the engine trains on.
//
// A frame is one that came from the engine and was drawn with a frame of the screen. It brings new numbers of one view at
// least; how often each view is drawn stands beside it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { openPanel } from '../test/webview/harness/page';
import { median, percentile, round, table } from './measure';
import { type Beside, Bridge, wait, type Watched } from './panel-bridge';
import { drawnOf, heapOf, sixCanvases, watchViews } from './panel-page';
import { type Processes, processesOf, trace } from './panel-trace';

const VIEWS = ['learn', 'step', 'network', 'fit', 'gradients', 'activations'];
const TURNS = 5;
/** Causes that the table names. */
const MOST_CAUSES = 14;

/**
 * The panel draws what it is sent; nobody looks; nobody looks, but beside it the page draws frames of before, as many a
 * second, or another page six canvases; all is measured, and frames land at once.
 */
const modes = ['drawn', 'hidden', 'beside', 'canvases', 'measured'] as const;
type Mode = (typeof modes)[number];
const watchedIn: Record<Mode, Watched> = { drawn: 'drawn', hidden: 'hidden', beside: 'hidden', canvases: 'hidden', measured: 'measured' };

async function main(): Promise<void> {
  const { launchChromium } = (await import(pathToFileURL(resolve('scripts', 'chromium.mjs')).href)) as { launchChromium(): Promise<Browser> };
  const browser = await launchChromium();
  const bridge = new Bridge();
  await bridge.open();
  const panel = await openPanel({
    newPage: async (options) => {
      const page = await (await browser.newContext(options)).newPage();
      await page.addInitScript(watchViews);
      const problems: string[] = [];
      page.on('pageerror', ({ message }) => problems.push(message));
      return { page, problems };
    },
  }, bridge, { width: 1900, height: 1200, kept: { view: 'learn', several: true, open: VIEWS } });
  const canvases = await sixCanvases(browser);

  const speeds: Record<Mode, { readonly steps: number; readonly frames: number }[]> = { drawn: [], hidden: [], beside: [], canvases: [], measured: [] };
  const used: Processes[] = [];
  const rates = new Map<string, { canvases: number[]; texts: number[] }>(VIEWS.map((view) => [view, { canvases: [], texts: [] }]));
  let bound = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    for (const mode of modes) {
      await bridge.watch(watchedIn[mode]);
      const pace = speeds.drawn.at(-1)?.frames ?? 0;
      const beside: Beside | undefined = mode === 'beside'
        ? (ended) => bridge.replay(pace, ended)
        : mode === 'canvases' ? (ended) => canvases.draw(ended, pace) : undefined;
      await drawnOf(panel.page);
      const [before, frames, start] = [await processesOf(browser), bridge.drawn, performance.now()];
      speeds[mode].push(await bridge.speed(beside));
      if (mode !== 'drawn') continue;
      const [after, seen, seconds] = [await processesOf(browser), await drawnOf(panel.page), (performance.now() - start) / 1000];
      const drawn = bridge.drawn - frames;
      used.push(Object.fromEntries(Object.entries(after).map(([kind, time]) => [kind, (1000 * (time - (before[kind] ?? 0))) / drawn])));
      for (const [view, rate] of rates) {
        for (const what of ['canvases', 'texts'] as const) rate[what].push((seen[view]?.[what] ?? 0) / seconds);
      }
    }
  }
  await bridge.watch('hidden');
  await bridge.speed(async (ended) => (bound = await canvases.draw(ended, Infinity)));
  await bridge.watch('drawn');
  const traced = bridge.drawn;
  const causes = await trace(browser, panel.page, () => bridge.speed());
  const frames = bridge.drawn - traced;

  const stepsOf = (mode: Mode): number => Math.max(...speeds[mode].map(({ steps }) => steps));
  const costs = (mode: Mode, of: Mode): string => `${round(100 * (stepsOf(of) / stepsOf(mode) - 1))} %`;
  const kilobytes = bridge.sizes.map((size) => size / 1024);
  const usedBy = (kind: string): string => `${round(median(used.map((each) => each[kind] ?? 0)))} ms`;

  await bridge.engine.calls.command({ type: 'reset' });
  const heaps: string[][] = [];
  for (const step of [20_000, 100_000, 200_000]) {
    await bridge.runTo(step);
    await panel.settled();
    await wait(100);
    heaps.push([`page's objects after ${step.toLocaleString('en-US')} steps`, `${round((await heapOf(panel.page)) / 2 ** 20)} MB`, 'flat']);
  }
  console.log(table([`${VIEWS.length} views open, training at full speed`, 'measured', 'goal'], [
    ['frames a second, median', round(median(speeds.drawn.map(({ frames }) => frames))), 'at least 30'],
    ['frames a second of a page of six canvases alone', round(bound), ''],
    ['steps a second, nobody looking', round(stepsOf('hidden')), ''],
    ['steps a second, nobody looking, the page busy beside it', round(stepsOf('beside')), ''],
    ['steps a second, nobody looking, six canvases drawn beside it', round(stepsOf('canvases')), ''],
    ['steps a second, frames measured and sent', round(stepsOf('measured')), ''],
    ['steps a second, and drawn', round(stepsOf('drawn')), ''],
    ['training takes longer by, measured and sent', costs('measured', 'hidden'), 'at most 5 %'],
    ['training takes longer by, and drawn', costs('drawn', 'hidden'), 'at most 5 %'],
    ['of it, for a page that is busy on the same cores', costs('beside', 'hidden'), ''],
    ['for six canvases alone, as many frames a second', costs('canvases', 'hidden'), ''],
    ["processor time a frame: the page's process", usedBy('renderer'), ''],
    ["the compositor's", usedBy('GPU'), ''],
    ["the browser's", usedBy('browser'), ''],
    ['a frame, median', `${round(median(kilobytes))} KB`, ''],
    ['a frame, 95 %', `${round(percentile(kilobytes, 0.95))} KB`, ''],
    ['the largest frame', `${round(Math.max(...kilobytes))} KB`, 'at most 100 KB'],
    ...heaps,
  ]));
  console.log(`\n${table(['drawn a second', 'canvas', 'text'], [...rates].map(([view, rate]) => [view, ...[rate.canvases, rate.texts].map((each) => round(median(each)))]))}`);
  const threads = new Map<string, number>();
  for (const { thread, self } of causes) threads.set(thread, (threads.get(thread) ?? 0) + self);
  const rows = [...threads].map(([thread, time]) => [`all of ${thread}`, time] as const).sort((a, b) => b[1] - a[1]).slice(0, 4);
  const named = causes.slice(0, MOST_CAUSES).map(({ thread, name, self }) => [`${thread}: ${name}`, self] as const);
  console.log(`\n${table(['in a trace', 'ms a frame'], [...rows, ...named].map(([name, time]) => [name, round(time / frames)]))}`);
  if (panel.problems.length > 0) throw new Error(panel.problems.join('\n'));
  await browser.close();
  await bridge.engine.dispose();
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
