// A network of a hundred layers, with every view that shows all of them open: no message is large, and every number
// arrives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectLayerStats } from '../../src/session/layer-stats';
import type { TrainingSession } from '../../src/session/session';
import { formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { FakeHost } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const LIMIT = 100 * 1024;
const text = `{
  "data": "circles",
  "layers": [${'{ "type": "linear", "out_features": 8 }, "tanh", '.repeat(50)}{ "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.05 }, "batch_size": 60, "epochs": 50000
}`;

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;

beforeAll(async () => {
  host = new FakeHost(text);
  panel = await openPanel(browser, host, {
    width: 1600,
    height: 1200,
    storedState: {
      view: 'network',
      multiView: true,
      open: ['learn', 'step', 'network', 'fit', 'gradients', 'activations'],
    },
  });
});
afterAll(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
});

/** Each layer's mean, standard deviation and gradient norm, as in the list. */
const listed = (): Promise<string[][]> =>
  panel.page
    .locator('.layers [role=option]')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.querySelectorAll<HTMLElement>('[data-activation] [data-value], [data-gradient] [data-value]')].map(
          ({ dataset }) => dataset.value ?? '',
        ),
      ),
    );

async function expectAll(): Promise<void> {
  await panel.waitUntilDrawn();
  const { network, pass, progress, updateRatios } = host.session as TrainingSession;
  const own = collectLayerStats(
    network,
    pass,
    progress,
    new Set(['activations', 'gradients', 'updates']),
    updateRatios,
  );
  expect(own.length).toBe(101);
  expect(await listed()).toEqual(
    own.map(({ activation, outputGradient }) =>
      [activation?.mean, activation?.std, outputGradient?.norm].map((value) => formatExact(value ?? NaN)),
    ),
  );
  expect(panel.messageSizes.length).toBeGreaterThan(10);
  expect(Math.max(...panel.messageSizes)).toBeLessThan(LIMIT);
}

describe('a network of a hundred layers', () => {
  it('has all its numbers after a step', async () => {
    await panel.page.keyboard.press('F10');
    await host.waitForFrame(({ position, queryResults }) => position.step === 1 && queryResults.length > 5);
    await expectAll();
  });

  it('scrolls to the column of the selected layer, and to the unit that a key selects', async () => {
    const { page } = panel;
    /** Whether the diagram shows this column completely, and its position. */
    const place = (column: number): Promise<{ whole: boolean; left: number }> =>
      page
        .locator('#view-network > .map')
        .first()
        .evaluate((map, at) => {
          const width = (map.querySelector('canvas') as HTMLCanvasElement).clientWidth / 102;
          const left = at * width - map.scrollLeft;
          return { whole: left >= -0.5 && left + width <= map.clientWidth + 0.5, left: map.scrollLeft };
        }, column);
    const select = async (key: string, layer: number): Promise<void> => {
      await page.locator('.layers [aria-selected="true"], .layers [data-layer="0"]').last().press(key);
      await expect
        .poll(() => page.locator('.layers [aria-selected="true"]').getAttribute('data-layer'))
        .toBe(String(layer));
      await panel.waitUntilDrawn();
      // Its row is visible too, and not covered.
      expect(
        await page.locator('.layers [aria-selected="true"]').evaluate((row) => {
          const { left, top, bottom } = row.getBoundingClientRect();
          return [top + 2, bottom - 2].map((y) => row.contains(document.elementFromPoint(left + 20, y)));
        }),
      ).toEqual([true, true]);
    };
    expect((await place(101)).whole).toBe(false);
    await select('End', 100);
    expect((await place(101)).whole).toBe(true);
    const { left } = await place(101);
    await select('ArrowUp', 99);
    // Both were visible, so nothing scrolls.
    expect((await place(100)).left).toBe(left);
    await select('Home', 0);
    expect((await place(1)).whole).toBe(true);
    await page.locator('#view-network > .map canvas').first().focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight');
    expect((await place(12)).whole).toBe(true);
    // The column of the last phase, although another layer is selected.
    for (let i = 0; i < 32; i++) await host.requests.command({ type: 'stepPhase' });
    await host.waitForFrame(({ position }) => position.phase === 32);
    await panel.waitUntilDrawn();
    expect((await place(31)).whole).toBe(true);
    expect(
      await page
        .locator('#view-network > .map')
        .first()
        .evaluate((map) => getComputedStyle(map).scrollBehavior),
    ).toBe('auto');
  });

  it('also after a run that was paused', async () => {
    await panel.page.keyboard.press('F5');
    await host.waitForFrame(({ status, position }) => status === 'running' && position.step > 3);
    await panel.page.keyboard.press('F5');
    await host.waitForFrame(({ status }) => status === 'paused');
    await expectAll();
  });
});
