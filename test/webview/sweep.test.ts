// The view of a sweep: every number is the report's own, what is asked reaches the host, and it stands in every theme.
import { describe, expect, it } from 'vitest';
import type { PanelSweep } from '../../src/protocol/panel';
import { fullNumber } from '../../webview/numbers';
import { useBrowser } from './chromium';
import { violations } from './harness/axe';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage, themeNames } from './harness/page';
import { sweepSpec, sweptState } from './harness/sweep';

const browser = useBrowser();
const done = sweptState(sweepSpec, 12);
const { groups } = done.report;
const idle: PanelSweep = { state: done, starting: false, trouble: null };

async function shown(sweep: PanelSweep, options: Parameters<typeof openPanel>[2] = {}): Promise<{ host: FakeHost; panel: PanelPage; close(): Promise<void> }> {
  const host = new FakeHost(readExample('circles'));
  const panel = await openPanel(browser, host, { height: 1100, ...options });
  await panel.page.locator('#tab-sweep').click();
  await panel.send({ type: 'sweep', sweep });
  await panel.settled();
  return {
    host,
    panel,
    async close() {
      expect(panel.problems).toEqual([]);
      await host.dispose();
      await panel.page.close();
    },
  };
}

const digits = (place: ReturnType<PanelPage['page']['locator']>): Promise<string[]> =>
  place.locator('[data-value]').evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));

describe('numbers', () => {
  it('the table holds mean and deviation of every part, and marks the best', async () => {
    const { panel, close } = await shown(idle);
    const rows = panel.page.locator('[data-setting]');
    expect(await rows.count()).toBe(4);
    for (const [i, { final }] of groups.slice(0, 3).entries()) {
      const expected = (['train', 'validation', 'test'] as const).flatMap((part) =>
        [final[part]!.loss, final[part]!.accuracy!].flatMap(({ mean, deviation }) => [fullNumber(mean), fullNumber(deviation!)]),
      );
      expect(await digits(rows.nth(i))).toEqual(expected);
    }
    expect(await rows.nth(3).textContent()).toMatch(/0 of 3, 3 diverged/);
    expect(await panel.page.locator('.sweeps tr.selected').getAttribute('data-setting')).toBe(groups[done.report.best!.group].labels[0]);
    await close();
  });

  it('the chart reads the last epoch, by keys any other, and its table has all', async () => {
    const { panel, close } = await shown(idle);
    const { page } = panel;
    const keys = page.locator('figure .keys');
    const at = (epoch: number) => groups.slice(0, 3).flatMap(({ epochs, bands }) => {
      const { mean, deviation } = bands.validation!.loss[epochs.indexOf(epoch)];
      return [fullNumber(mean), fullNumber(deviation!)];
    });
    expect(await digits(keys)).toEqual(at(12));
    await page.locator('figure canvas').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await digits(keys)).toEqual(at(10));
    await page.keyboard.press('Home');
    expect(await digits(keys)).toEqual(at(0));
    await page.locator('figure details summary').click();
    await page.locator('figure details tbody tr').first().waitFor();
    expect(await page.locator('figure details tbody tr').count()).toBe(13);
    await close();
  });

  it('bands go by deviation or by the smallest and largest value, and it is said which', async () => {
    const { panel, close } = await shown(idle);
    const { page } = panel;
    expect(await page.locator('figure .how').textContent()).toContain('one standard deviation to either side');
    await page.getByRole('button', { name: 'min–max' }).click();
    await page.getByRole('button', { name: 'accuracy', exact: true }).click();
    await page.getByRole('button', { name: 'train', exact: true }).click();
    await panel.settled();
    expect(await page.locator('figure .how').textContent()).toContain('from the smallest to the largest value');
    expect(await page.locator('figure h2').textContent()).toBe('Training accuracy');
    const last = groups.slice(0, 3).flatMap(({ bands }) => {
      const { mean, min, max } = bands.train!.accuracy!.at(-1)!;
      return [mean, min, max].map(fullNumber);
    });
    expect(await digits(page.locator('figure .keys'))).toEqual(last);
    expect((await panel.state()).kept).toEqual({ sweep: { part: 'train', of: 'accuracy', band: 'range', logarithmic: false } });
    await close();
  });
});

describe('what is asked', () => {
  it.each([
    ['begins', sweptState(sweepSpec, 0), 'Run the sweep', 'start'],
    ['goes on', sweptState(sweepSpec, 2), 'Go on', 'start'],
    ['starts over', sweptState(sweepSpec, 2), 'Start over', 'fresh'],
    ['is cancelled', sweptState(sweepSpec, 2, true), 'Cancel', 'cancel'],
  ] as const)('%s', async (_, state, button, action) => {
    const { host, panel, close } = await shown({ state, starting: false, trouble: null });
    await panel.page.getByRole('button', { name: button }).press('Enter');
    expect(host.of('sweep')).toEqual([{ type: 'sweep', action }]);
    await close();
  });

  it('nothing, where the spec sweeps nothing: it says how to write it', async () => {
    const { host, panel, close } = await shown({ state: null, starting: false, trouble: null });
    const { page } = panel;
    expect(await page.locator('.view').textContent()).toContain('"sweep": {');
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(JSON.parse(`{${host.of('copy')[0].text}}`)).toHaveProperty('sweep');
    await panel.send({ type: 'sweep', sweep: { state: null, starting: false, trouble: 'Save the spec first: results are kept beside it.' } });
    await panel.settled();
    expect(await page.getByRole('alert').textContent()).toContain('Save the spec first');
    await close();
  });
});

describe.each(themeNames)('in %s', (theme) => {
  it('stands at every width, and the accessibility checker finds nothing wrong', async () => {
    for (const [width, sweep, name] of [
      [1100, idle, 'done'], [320, idle, 'narrow'], [1000, { state: sweptState(sweepSpec, 5, true), starting: false, trouble: null }, 'running'], [600, { state: null, starting: false, trouble: null }, 'none'],
    ] as const) {
      const { panel, close } = await shown(sweep, { theme, width });
      await panel.shot(`sweep-${theme}-${name}`);
      for (const summary of await panel.page.locator('.view summary').all()) await summary.click();
      await panel.settled();
      expect(await violations(panel.page)).toEqual([]);
      await close();
    }
  });
});
