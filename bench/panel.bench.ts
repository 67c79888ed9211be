// The panel in a real Chromium, beside a real engine process that trains as fast as it can: frames a second with six views
// open, what that costs the training, the size of a frame, and the page's memory over a long run. Needs a build
// (`npm run build`). Chromium draws without a graphics card here, on the cores that the engine trains on.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { openPanel } from '../test/webview/harness/page';
import { median, percentile, round, table } from './measure';
import { Bridge, type Watched } from './panel-bridge';

const VIEWS = ['learn', 'step', 'network', 'fit', 'gradients', 'activations'];
const TURNS = 5;
const MODES: readonly Watched[] = ['drawn', 'hidden', 'beside', 'measured'];

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
