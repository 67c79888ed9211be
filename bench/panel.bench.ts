// The panel in a real Chromium, with a real engine process that trains at full speed: frames per second with six views
// open, the cost for training, where the browser spends its time, the size of a frame, and the page's memory over a
// long run. Needs a build (`npm run build`). Chromium draws without a graphics card, on the same cores as the engine.
//
// A frame counts if it came from the engine and was drawn in a screen frame. It has new numbers for at least one view;
// the redraws of each view are listed separately.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { openPanel } from '../test/webview/harness/page';
import { median, percentile, formatRounded, formatTable } from './measure';
import { type BackgroundTask, PanelBridge, wait, type WatchMode } from './panel-bridge';
import { takeDrawCounts, measureHeapBytes, openCanvasBaseline, installDrawCounters } from './page-metrics';
import { type ProcessTimes, readProcessTimes, recordTrace } from './browser-trace';

const VIEWS = ['learn', 'step', 'network', 'fit', 'gradients', 'activations'];
const ROUNDS = 5;
/** Maximum number of causes in the table. */
const MAX_TRACE_ROWS = 14;

/**
 * `drawn`: the panel draws what it receives; `hidden`: no subscription; `beside`: no subscription while the page
 * redraws earlier frames at the same rate; `canvases`: the same with another page of six canvases; `measured`:
 * everything is measured, and frames are acknowledged at once.
 */
const modes = ['drawn', 'hidden', 'beside', 'canvases', 'measured'] as const;
type Mode = (typeof modes)[number];
const watchModes: Record<Mode, WatchMode> = {
  drawn: 'drawn',
  hidden: 'hidden',
  beside: 'hidden',
  canvases: 'hidden',
  measured: 'measured',
};

async function main(): Promise<void> {
  const { launchChromium } = (await import(pathToFileURL(resolve('scripts', 'chromium.mjs')).href)) as {
    launchChromium(): Promise<Browser>;
  };
  const browser = await launchChromium();
  const bridge = new PanelBridge();
  await bridge.open();
  const panel = await openPanel(
    {
      newPage: async (options) => {
        const page = await (await browser.newContext(options)).newPage();
        await page.addInitScript(installDrawCounters);
        const problems: string[] = [];
        page.on('pageerror', ({ message }) => problems.push(message));
        return { page, problems };
      },
    },
    bridge,
    { width: 1900, height: 1200, storedState: { view: 'learn', multiView: true, open: VIEWS } },
  );
  const canvases = await openCanvasBaseline(browser);

  const speeds: Record<Mode, { readonly steps: number; readonly frames: number }[]> = {
    drawn: [],
    hidden: [],
    beside: [],
    canvases: [],
    measured: [],
  };
  const used: ProcessTimes[] = [];
  const rates = new Map<string, { canvases: number[]; texts: number[] }>(
    VIEWS.map((view) => [view, { canvases: [], texts: [] }]),
  );
  let bound = 0;
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const mode of modes) {
      await bridge.watch(watchModes[mode]);
      const pace = speeds.drawn.at(-1)?.frames ?? 0;
      const beside: BackgroundTask | undefined =
        mode === 'beside'
          ? (ended) => bridge.replay(pace, ended)
          : mode === 'canvases'
            ? (ended) => canvases.draw(ended, pace)
            : undefined;
      await takeDrawCounts(panel.page);
      const [before, frames, start] = [await readProcessTimes(browser), bridge.drawnFrames, performance.now()];
      speeds[mode].push(await bridge.measureSpeed(beside));
      if (mode !== 'drawn') continue;
      const [after, seen, seconds] = [
        await readProcessTimes(browser),
        await takeDrawCounts(panel.page),
        (performance.now() - start) / 1000,
      ];
      const drawn = bridge.drawnFrames - frames;
      used.push(
        Object.fromEntries(
          Object.entries(after).map(([kind, time]) => [kind, (1000 * (time - (before[kind] ?? 0))) / drawn]),
        ),
      );
      for (const [view, rate] of rates) {
        for (const what of ['canvases', 'texts'] as const) rate[what].push((seen[view]?.[what] ?? 0) / seconds);
      }
    }
  }
  await bridge.watch('hidden');
  await bridge.measureSpeed(async (ended) => (bound = await canvases.draw(ended, Infinity)));
  await bridge.watch('drawn');
  const traced = bridge.drawnFrames;
  const causes = await recordTrace(browser, panel.page, () => bridge.measureSpeed());
  const frames = bridge.drawnFrames - traced;

  const stepsOf = (mode: Mode): number => Math.max(...speeds[mode].map(({ steps }) => steps));
  const costs = (mode: Mode, of: Mode): string => `${formatRounded(100 * (stepsOf(of) / stepsOf(mode) - 1))} %`;
  const kilobytes = bridge.frameSizes.map((size) => size / 1024);
  const usedBy = (kind: string): string => `${formatRounded(median(used.map((each) => each[kind] ?? 0)))} ms`;

  await bridge.engine.calls.command({ type: 'reset' });
  const heaps: string[][] = [];
  for (const step of [20_000, 100_000, 200_000]) {
    await bridge.runTo(step);
    await panel.waitUntilDrawn();
    await wait(100);
    heaps.push([
      `page's objects after ${step.toLocaleString('en-US')} steps`,
      `${formatRounded((await measureHeapBytes(panel.page)) / 2 ** 20)} MB`,
      'flat',
    ]);
  }
  console.log(
    formatTable(
      [`${VIEWS.length} views open, training at full speed`, 'measured', 'goal'],
      [
        ['frames a second, median', formatRounded(median(speeds.drawn.map(({ frames }) => frames))), 'at least 30'],
        ['frames a second of a page of six canvases alone', formatRounded(bound), ''],
        ['steps a second, nobody looking', formatRounded(stepsOf('hidden')), ''],
        ['steps a second, nobody looking, the page busy beside it', formatRounded(stepsOf('beside')), ''],
        ['steps a second, nobody looking, six canvases drawn beside it', formatRounded(stepsOf('canvases')), ''],
        ['steps a second, frames measured and sent', formatRounded(stepsOf('measured')), ''],
        ['steps a second, and drawn', formatRounded(stepsOf('drawn')), ''],
        ['training takes longer by, measured and sent', costs('measured', 'hidden'), 'at most 5 %'],
        ['training takes longer by, and drawn', costs('drawn', 'hidden'), 'at most 5 %'],
        ['of it, for a page that is busy on the same cores', costs('beside', 'hidden'), ''],
        ['for six canvases alone, as many frames a second', costs('canvases', 'hidden'), ''],
        ["processor time a frame: the page's process", usedBy('renderer'), ''],
        ["the compositor's", usedBy('GPU'), ''],
        ["the browser's", usedBy('browser'), ''],
        ['a frame, median', `${formatRounded(median(kilobytes))} KB`, ''],
        ['a frame, 95 %', `${formatRounded(percentile(kilobytes, 0.95))} KB`, ''],
        ['the largest frame', `${formatRounded(Math.max(...kilobytes))} KB`, 'at most 100 KB'],
        ...heaps,
      ],
    ),
  );
  console.log(
    `\n${formatTable(
      ['drawn a second', 'canvas', 'text'],
      [...rates].map(([view, rate]) => [
        view,
        ...[rate.canvases, rate.texts].map((each) => formatRounded(median(each))),
      ]),
    )}`,
  );
  const threads = new Map<string, number>();
  for (const { thread, self } of causes) threads.set(thread, (threads.get(thread) ?? 0) + self);
  const rows = [...threads]
    .map(([thread, time]) => [`all of ${thread}`, time] as const)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4);
  const named = causes.slice(0, MAX_TRACE_ROWS).map(({ thread, name, self }) => [`${thread}: ${name}`, self] as const);
  console.log(
    `\n${formatTable(
      ['in a trace', 'ms a frame'],
      [...rows, ...named].map(([name, time]) => [name, formatRounded(time / frames)]),
    )}`,
  );
  if (panel.problems.length > 0) throw new Error(panel.problems.join('\n'));
  await browser.close();
  await bridge.engine.dispose();
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
