// Exports of charts: CSV with every digit of the history, PNG with every pixel of the canvas on the editor's
// background, for the table of every chart of every view.
import Papa from 'papaparse';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { clickTab, viewsOf } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;

beforeAll(async () => {
  host = new FakeHost(readExample('circles'));
  for (const step of [10, 20, 30]) {
    await host.runner.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  panel = await openPanel(browser, host, { theme: 'light' });
});

afterAll(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
});

const saved = () => host.callsTo('saveFile').at(-1)?.[0];

/** The size of a PNG, and the color of its first pixel. */
const pngOf = (
  page: Page,
  base64: string,
): Promise<{ width: number; height: number; corner: number[]; colors: number }> =>
  page.evaluate(async (content) => {
    const image = new Image();
    image.src = `data:image/png;base64,${content}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const ctx = canvas.getContext('2d') as CanvasRenderingContext2D;
    ctx.drawImage(image, 0, 0);
    const { data } = ctx.getImageData(0, 0, canvas.width, canvas.height);
    return {
      width: canvas.width,
      height: canvas.height,
      corner: [...data.subarray(0, 4)],
      colors: new Set(new Uint32Array(data.buffer)).size,
    };
  }, base64);

it('the CSV of the loss has every digit of the history', async () => {
  const chart = panel.page.locator('.chart').first();
  await chart.locator('summary').click();
  await chart.getByRole('button', { name: 'Save CSV…' }).click();
  expect(saved()).toMatchObject({ kind: 'csv', title: 'Loss' });
  const [heads, ...rows] = Papa.parse<string[]>((saved()?.content ?? '').replace('\uFEFF', '').trimEnd()).data;
  expect(heads).toEqual(['step', 'batch', 'train', 'validation', 'test']);
  const names = ['loss/batch', 'loss/train', 'loss/validation', 'loss/test'];
  for (const [step, ...cells] of rows) {
    cells.forEach((cell, i) => {
      const data = host.history.get(names[i])?.data();
      const at = data?.steps.indexOf(Number(step)) ?? -1;
      expect(cell === '' ? undefined : Number(cell)).toBe(data?.low[at]);
    });
  }
  expect(rows.length).toBe(31);
});

it('the PNG has two pixels per CSS pixel on the editor’s background, and the page is unchanged', async () => {
  const chart = panel.page.locator('.chart').first();
  const sizeOf = () =>
    chart
      .locator('canvas')
      .evaluate((element: HTMLCanvasElement) => ({ width: element.width, height: element.height }));
  const canvas = await sizeOf();
  await chart.getByRole('button', { name: 'Save PNG…' }).click();
  expect(await sizeOf()).toEqual(canvas);
  expect(saved()?.kind).toBe('png');
  const { width, height, corner, colors } = await pngOf(panel.page, saved()?.content ?? '');
  expect([width, height]).toEqual([2 * (canvas.width + 16), 2 * (canvas.height + 36)]);
  expect(corner).toEqual([255, 255, 255, 255]);
  expect(colors).toBeGreaterThan(10);
});

it('every table of every view can be saved, with an image of its chart', async () => {
  const views = await viewsOf(panel.page);
  await panel.page.locator('[data-layer="0"]').click();
  const seen: string[] = [];
  for (const view of views) {
    await clickTab(panel.page, view);
    if (view === 'check') {
      await panel.page.locator('[data-action="check"]').click();
      await panel.page.locator('.verdict').waitFor();
    }
    await panel.waitUntilDrawn();
    const tables = panel.page.locator('.view details.data:visible', {
      has: panel.page.locator('summary', { hasText: /^Table$/ }),
    });
    for (const table of await tables.all()) {
      if ((await table.getAttribute('open')) === null) await table.locator('summary').click();
      await table.locator('.export-actions').waitFor();
      for (const [kind, name] of [
        ['csv', 'Save CSV…'],
        ['png', 'Save PNG…'],
      ] as const) {
        const before = host.callsTo('saveFile').length;
        await table.getByRole('button', { name }).click();
        await expect.poll(() => host.callsTo('saveFile').length).toBe(before + 1);
        expect(saved()?.kind).toBe(kind);
        expect(saved()?.title).not.toBe('');
        if (kind === 'png') {
          const { colors, width } = await pngOf(panel.page, saved()?.content ?? '');
          expect(colors).toBeGreaterThan(2);
          const widths = await panel.page
            .locator('.view canvas:visible')
            .evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).width));
          expect(widths.map((own) => 2 * (own + 16)).some((own) => Math.abs(own - width) <= 2)).toBe(true);
        } else expect(saved()?.content.split('\r\n').length).toBeGreaterThan(2);
      }
      seen.push(view);
    }
  }
  for (const view of ['learn', 'gradients', 'activations', 'check', 'network', 'fit', 'tensors'])
    expect(seen).toContain(view);
});
