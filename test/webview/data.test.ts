// The view of the dataset: its columns, classes and equal samples, and pages of rows as the file holds them and as the
// network gets them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { findClippedText, clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, type PanelPage, themeNames } from './harness/page';

const browser = useBrowser();

async function shown(
  text: string,
  { folder, ...options }: PageOptions & { readonly folder?: string } = {},
): Promise<OwnPanel & { readonly host: FakeHost }> {
  const host = new FakeHost(text, folder === undefined ? {} : { folder });
  const own = await openOwnPanel(browser, host, { height: 1000, ...options });
  await clickTab(own.panel.page, 'data');
  await own.panel.page.locator('.view h2', { hasText: 'Samples' }).waitFor();
  return { host, ...own };
}

/** The samples of the rows that are shown, once they are what is expected. */
const rows = (panel: PanelPage) => panel.page.locator('.view tr[data-row]');
const waitForRow = (panel: PanelPage, sample: number): Promise<void> =>
  panel.page.locator(`.view tr[data-row="${sample}"]`).waitFor();

describe('a table', () => {
  it('has its columns, classes and rows, with the numbers of the session', async () => {
    const { host, panel, close } = await shown(readExample('weather'));
    const { page } = panel;
    const { value } = runQuery(host.session!, { type: 'data_profile' });
    const column = page.locator('tr[data-column="temperature_c"]');
    expect(await column.locator('[data-value]').first().getAttribute('data-value')).toBe('-3.9');
    const { mean, splits } = value!.profile!.columns.find(({ name }) => name === 'temperature_c')!;
    expect(await column.locator(`[data-value="${mean}"]`).count()).toBe(1);
    const bySplit = await page.locator('tr[data-splits="temperature_c"] td').all();
    const means = bySplit.map((cell) => cell.locator('[data-value]').first().getAttribute('data-value'));
    const wanted = [splits?.train, splits?.validation, splits?.test].map((split) => String(split?.mean));
    expect(await Promise.all(means)).toEqual(wanted);
    expect(await page.locator('tr[data-class]').count()).toBe(3);
    await waitForRow(panel, 0);
    expect(await rows(panel).count()).toBe(10);
    expect((await rows(panel).first().locator('td').allTextContents()).map((cell) => cell.trim())).toEqual(
      expect.arrayContaining(['test', '2', 'fair', '1024.0']),
    );
    await close();
  });

  it('turns pages, also by keyboard, and shows the rows of a split', async () => {
    const { host, panel, close } = await shown(readExample('weather'));
    const { page } = panel;
    await waitForRow(panel, 0);
    await page.locator('[data-action="data-next"]').focus();
    await page.keyboard.press('Enter');
    await waitForRow(panel, 10);
    await page.locator('[data-action="data-last"]').click();
    await waitForRow(panel, 299);
    expect(await page.locator('[data-action="data-next"]').isDisabled()).toBe(true);
    await page.locator('.pager input').fill('42');
    await page.keyboard.press('Enter');
    await waitForRow(panel, 42);
    await page.getByRole('group', { name: 'Split' }).getByText('test').click();
    const first = host.session!.run.split.test[0]!;
    await waitForRow(panel, first);
    expect(await rows(panel).first().getAttribute('data-row')).toBe(String(first));
    await close();
  });

  it('shows what the network gets, and follows a sample', async () => {
    const { host, panel, close } = await shown(readExample('weather'));
    const { page } = panel;
    await page.getByText('for the network').click();
    await waitForRow(panel, 0);
    const { dataset } = host.session!.run;
    for (const input of dataset.inputs.subarray(0, 4))
      await rows(panel).first().locator(`[data-value="${input}"]`).first().waitFor();
    await rows(panel).nth(3).getByRole('button').click();
    await page.locator('tr.selected[data-row="3"]').waitFor();
    await close();
  });
});

it('shows the cells of a tensor that is no image under their indexes, and its target apart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-data-'));
  const array = (shape: string, values: readonly number[]): Buffer => {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
    return Buffer.concat([
      Buffer.from([0x93]),
      Buffer.from(`NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}`, 'latin1'),
      Buffer.from(Float32Array.from(values).buffer),
    ]);
  };
  const x = Array.from({ length: 4 * 8 }, (_, i) => i + 0.5);
  writeFileSync(join(folder, 'x.npy'), array('(4, 4, 1, 2)', x));
  writeFileSync(join(folder, 'y.npy'), array('(4, 1)', [100, 200, 300, 400]));
  const { panel, close } = await shown(
    JSON.stringify({
      data: { type: 'npy', inputs: 'x.npy', targets: 'y.npy' },
      layers: ['flatten', { type: 'linear', out_features: 1 }],
      loss: 'mse',
    }),
    { folder },
  );
  const { page } = panel;
  await waitForRow(panel, 1);
  for (const form of ['in the file', 'for the network']) {
    await page.getByText(form, { exact: true }).click();
    await panel.waitUntilDrawn();
    const titles = await page.locator('table.samples thead th').allTextContents();
    const first = titles.map((title) => title.trim()).indexOf('[0, 0, 0]');
    const values = await rows(panel)
      .nth(1)
      .locator('th, td')
      .evaluateAll((cells) => cells.map((cell) => cell.querySelector<HTMLElement>('[data-value]')?.dataset.value));
    expect(values.slice(first - 1).map(Number)).toEqual([200, ...x.slice(8, 16)]);
    expect(values).toHaveLength(titles.length);
  }
  await close();
  rmSync(folder, { recursive: true });
});

it('shows images as thumbnails', async () => {
  const { panel, close } = await shown(readExample('digits'));
  const canvases = panel.page.locator('.thumbnails canvas');
  await canvases.first().waitFor();
  expect(await canvases.count()).toBe(24);
  const drawn = await canvases.first().evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
    return { width: canvas.width, height: canvas.height, shades: new Set(pixels.filter((_, i) => i % 4 === 0)).size };
  });
  expect(drawn).toMatchObject({ width: 8, height: 8 });
  expect(drawn.shades).toBeGreaterThan(3);
  await close();
});

it('names contradictory samples', async () => {
  const inputs = [
    [1, 2],
    [3, 4],
    [1, 2],
    [5, 6],
  ];
  const { panel, close } = await shown(
    JSON.stringify({
      data: { type: 'inline', inputs, labels: [0, 1, 1, 0] },
      layers: [{ type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
    }),
  );
  expect(await panel.page.locator('.remarks li.warning').allTextContents()).toEqual([
    expect.stringMatching(/^\s*2 samples .*samples 0, 2\.\s*$/),
  ]);
  await close();
});

describe.each(themeNames)('in %s', (theme) => {
  it.each([1000, 500])('can be read and reached at %s pixels', async (width) => {
    for (const name of ['weather', 'digits']) {
      const { panel, close } = await shown(readExample(name), { theme, width });
      await panel.waitUntilDrawn();
      await panel.screenshot(`data-${name}-${theme}-${width}`);
      expect(await findClippedText(panel.page)).toEqual([]);
      if (width === 1000) expect(await axeViolations(panel.page)).toEqual([]);
      await close();
    }
  });
});
