// The view Output map: every number is the session's, the cursor shows its window, and the sample moves.
import { describe, expect, it } from 'vitest';
import type { OutputMapRequest } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { examples, FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, themeNames } from './harness/page';

const browser = useBrowser();

async function shown(options: PageOptions = {}): Promise<OwnPanel & { readonly host: FakeHost }> {
  const host = new FakeHost(readExample('all-convolution'), { folder: examples });
  const own = await openOwnPanel(browser, host, { height: 1200, ...options });
  await host.requests.command({ type: 'runToStep', step: 60 });
  await host.waitForFrame(({ position, target }) => position.step === 60 && target === null);
  await clickTab(own.panel.page, 'output_map');
  await own.panel.waitUntilDrawn();
  await own.panel.page.locator('.small-map').first().waitFor();
  return { ...own, host };
}

const answerOf = (host: FakeHost, request: Partial<OutputMapRequest>) =>
  runQuery(host.session!, { type: 'output_map', sample: null, tiles: 3, place: null, ...request }).value!;

it('names a single output by the class whose probability it is', async () => {
  const layers = [
    { type: 'conv2d', out_channels: 2, kernel_size: 3 },
    'relu',
    'flatten',
    { type: 'linear', out_features: 1 },
  ];
  const data = { type: 'images', samples: 20, size: 8, classes: 2 };
  const host = new FakeHost(JSON.stringify({ data, layers, loss: 'bce_with_logits', epochs: 1 }));
  const { panel, close } = await openOwnPanel(browser, host, { height: 1200 });
  await clickTab(panel.page, 'output_map');
  await panel.page.locator('.small-map').first().waitFor();
  const second = host.session!.model.classes![1];
  expect(await panel.page.locator('.small-map').allTextContents()).toEqual([expect.stringContaining(second)]);
  await close();
});

describe('a network of convolutions alone', () => {
  it('shows a map for each class, and reads the value and the window of a position', async () => {
    const { panel, host, close } = await shown();
    const { page } = panel;
    const map = answerOf(host, {});
    expect([map.rows, map.columns, map.outputs]).toEqual([5, 5, 10]);
    expect(await page.locator('.small-map').count()).toBe(10);
    await page.locator('.small-map').nth(4).press('Enter');
    await page.locator('.map canvas').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const reading = page.locator('.reading', { hasText: '[1, 1]' });
    expect(await reading.locator('[data-value]').getAttribute('data-value')).toBe(String(map.values[4 * 25 + 6]));
    expect(await reading.textContent()).toContain('rows 4 to 11, columns 4 to 11');
    expect(await reading.textContent()).toContain(`predicted ${String(map.classes![6])}`);
    await page.locator('details.data summary').click();
    const rows = page.locator('details.data tbody tr');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(25);
    expect(await page.locator('.output-map > canvas').getAttribute('aria-label')).toContain(
      '24 × 24 pixels with 9 samples',
    );
    expect(panel.problems).toEqual([]);
    await close();
  });

  it('moves one sample with the arrow keys, and the map follows', async () => {
    const { panel, host, close } = await shown();
    const { page } = panel;
    await page.getByRole('button', { name: 'One sample, moved' }).press('Enter');
    const image = page.locator('.output-map > canvas[role="application"]');
    await image.focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.output-map > canvas[aria-label*="row 0, column 1"]').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('.output-map > canvas[aria-label*="row 1, column 1"]').waitFor();
    const map = answerOf(host, { place: { row: 1, column: 1 } });
    await page.locator('details.data summary').click();
    const cell = page.locator('details.data tbody tr').nth(7).locator('[data-value]').nth(3);
    await expect.poll(() => cell.getAttribute('data-value')).toBe(String(map.values[3 * 25 + 7]));
    expect((await panel.storedState()).viewState).toMatchObject({ output_map: { single: true, row: 1, column: 1 } });
    await close();
  });
});

it('has no tab for a network that starts with fully connected layers', async () => {
  const { panel, close } = await openOwnPanel(browser, new FakeHost(readExample('circles')));
  expect(await panel.page.locator('#workspace-explain').getAttribute('data-views')).toBe('step what_if tensors');
  await close();
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const width of [1000, 320]) {
      const { panel, close } = await shown({ theme, width });
      await panel.screenshot(`output-map-${theme}-${width}`);
      expect(await axeViolations(panel.page)).toEqual([]);
      await close();
    }
  });
});
