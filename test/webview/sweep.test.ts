// The view Sweep: every number is the report's, requests reach the host, and it fits in every theme.
import { describe, expect, it } from 'vitest';
import type { PanelSweep } from '../../src/protocol/panel';
import { formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, type PanelPage, themeNames } from './harness/page';
import { sineSpec, sweepSpec, sweptState } from './harness/sweep';

const browser = useBrowser();
const done = sweptState(sweepSpec, 12);
const { groups } = done.report;
const idle: PanelSweep = { state: done, isStarting: false, error: null };

async function shown(sweep: PanelSweep, options: PageOptions = {}): Promise<OwnPanel & { readonly host: FakeHost }> {
  const host = new FakeHost(readExample('circles'));
  const own = await openOwnPanel(browser, host, { height: 1100, ...options });
  await clickTab(own.panel.page, 'sweep');
  await own.panel.send({ type: 'sweep', sweep });
  await own.panel.waitUntilDrawn();
  return { host, ...own };
}

const digits = (place: ReturnType<PanelPage['page']['locator']>): Promise<string[]> =>
  place.locator('[data-value]').evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));

describe('numbers', () => {
  it('the table has mean and deviation of every split, and marks the best', async () => {
    const { panel, close } = await shown(idle);
    const rows = panel.page.locator('[data-setting]');
    expect(await rows.count()).toBe(4);
    for (const [i, { final }] of groups.slice(0, 3).entries()) {
      const expected = (['train', 'validation', 'test'] as const).flatMap((part) =>
        [final[part]!.loss, final[part]!.accuracy!].flatMap(({ mean, deviation }) => [
          formatExact(mean),
          formatExact(deviation!),
        ]),
      );
      expect(await digits(rows.nth(i))).toEqual(expected);
    }
    expect(await rows.nth(3).textContent()).toMatch(/0 of 3, 3 diverged/);
    expect(await panel.page.locator('.sweeps tr.selected').getAttribute('data-setting')).toBe(
      groups[done.report.best!.group].labels[0],
    );
    await close();
  });

  it('the chart reads the last epoch, or any other with keys, and its table has all', async () => {
    const { panel, close } = await shown(idle);
    const { page } = panel;
    const keys = page.locator('figure .keys');
    const at = (epoch: number) =>
      groups.slice(0, 3).flatMap(({ epochs, bands }) => {
        const { mean, deviation } = bands.validation!.loss[epochs.indexOf(epoch)];
        return [formatExact(mean), formatExact(deviation!)];
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

  it('bands show the deviation or the range, and say which', async () => {
    const { panel, close } = await shown(idle);
    const { page } = panel;
    expect(await page.locator('figure .how').textContent()).toContain('one standard deviation to either side');
    await page.getByRole('button', { name: 'min–max' }).click();
    await page.getByRole('button', { name: 'accuracy', exact: true }).click();
    await page.getByRole('button', { name: 'train', exact: true }).click();
    await panel.waitUntilDrawn();
    expect(await page.locator('figure .how').textContent()).toContain('the smallest to the largest value');
    expect(await page.locator('figure h2').textContent()).toBe('Training accuracy');
    const last = groups.slice(0, 3).flatMap(({ bands }) => {
      const { mean, min, max } = bands.train!.accuracy!.at(-1)!;
      return [mean, min, max].map(formatExact);
    });
    expect(await digits(page.locator('figure .keys'))).toEqual(last);
    expect((await panel.storedState()).viewState).toEqual({
      workspaces: { compare: 'sweep' },
      sweep: { part: 'train', of: 'accuracy', band: 'range', logarithmic: false },
    });
    await close();
  });
});

describe('fitted functions', () => {
  const sine = sweptState(sineSpec, 5);

  it('of all runs are drawn together, can be switched off, and are in a table', async () => {
    const { panel, close } = await shown({ state: sine, isStarting: false, error: null });
    const { page } = panel;
    expect(sine.fits.map(({ run }) => run)).toEqual([0, 1, 2, 3, 4]);
    const figure = page.locator('figure', { hasText: 'Fitted functions' });
    expect(
      await figure.locator('[data-function]').evaluateAll((all) => all.map((one) => one.dataset.function)),
    ).toEqual(['out_features 1', 'out_features 3', 'out_features 10']);
    await figure.locator('details summary').press('Enter');
    const { fit } = sine.fits[1];
    const row = figure.locator('tbody tr').nth(65 + 20);
    expect(await row.locator('th').textContent()).toBe('2: out_features 1');
    expect(await digits(row)).toEqual([fit.from + (20 / 64) * (fit.to - fit.from), fit.outputs[20]].map(formatExact));
    await figure.locator('[data-function="out_features 3"]').press('Enter');
    await expect.poll(() => figure.locator('tbody tr').count()).toBe(195);
    expect(await figure.locator('.unit').textContent()).toContain('3 runs');
    await panel.screenshot('sweep-fitted-functions');
    expect(await axeViolations(page)).toEqual([]);
    await close();
  });

  it('have a line for each seed if nothing else differs', async () => {
    const seeds = sweptState({ ...sineSpec, sweep: { seed: [4, 9] } }, 2);
    const { panel, close } = await shown({ state: seeds, isStarting: false, error: null });
    expect(
      await panel.page.locator('[data-function]').evaluateAll((all) => all.map((one) => one.dataset.function)),
    ).toEqual(['seed 4', 'seed 9']);
    await close();
  });

  it('are of no other networks', async () => {
    expect(done.fits).toEqual([]);
    const { panel, close } = await shown(idle);
    expect(await panel.page.getByText('Fitted functions').isVisible()).toBe(false);
    await close();
  });
});

describe('requests', () => {
  it.each([
    ['starts', sweptState(sweepSpec, 0), 'start'],
    ['continues', sweptState(sweepSpec, 2), 'start'],
    ['starts over', sweptState(sweepSpec, 2), 'fresh'],
    ['is cancelled', sweptState(sweepSpec, 2, true), 'cancel'],
  ] as const)('%s', async (_, state, action) => {
    const { host, panel, close } = await shown({ state, isStarting: false, error: null });
    await panel.page.locator(`button[data-action="sweep-${action}"]`).press('Enter');
    expect(host.callsTo('sweep')).toEqual([[action]]);
    await close();
  });

  it('opens a run with the keyboard', async () => {
    const { host, panel, close } = await shown(idle);
    await panel.page.locator('details.data summary', { hasText: 'Runs' }).press('Enter');
    await panel.page.locator('[data-open-run="4"]').press('Enter');
    expect(host.callsTo('openSweepRun')).toEqual([[4]]);
    await close();
  });

  it('none if the spec has no sweep: the view says how to write one', async () => {
    const { host, panel, close } = await shown({ state: null, isStarting: false, error: null });
    const { page } = panel;
    expect(await page.locator('.view').textContent()).toContain('"sweep": {');
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(JSON.parse(`{${host.callsTo('copyText')[0][0]}}`)).toHaveProperty('sweep');
    await panel.send({
      type: 'sweep',
      sweep: { state: null, isStarting: false, error: 'Save the spec first: results are kept beside it.' },
    });
    await panel.waitUntilDrawn();
    expect(await page.getByRole('alert').textContent()).toContain('Save the spec first');
    await close();
  });
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const [width, sweep, name] of [
      [1100, idle, 'done'],
      [320, idle, 'narrow'],
      [1000, { state: sweptState(sweepSpec, 5, true), isStarting: false, error: null }, 'running'],
      [600, { state: null, isStarting: false, error: null }, 'none'],
    ] as const) {
      const { panel, close } = await shown(sweep, { theme, width });
      await panel.screenshot(`sweep-${theme}-${name}`);
      for (const summary of await panel.page.locator('.view summary').all()) await summary.click();
      await panel.waitUntilDrawn();
      expect(await axeViolations(panel.page)).toEqual([]);
      await close();
    }
  });
});
