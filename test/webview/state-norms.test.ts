// Gradients through time: the session's norms by time step as a chart and a table, for recurrent layers only.
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import { formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, themeNames } from './harness/page';

const browser = useBrowser();

async function shown(host: FakeHost, options: PageOptions = {}): Promise<OwnPanel> {
  const own = await openOwnPanel(browser, host, { height: 1000, ...options });
  await host.requests.command({ type: 'runToStep', step: 3 });
  await host.waitForFrame(({ position, target }) => position.step === 3 && target === null);
  await clickTab(own.panel.page, 'gradients');
  await own.panel.waitUntilDrawn();
  return own;
}

describe('the gradient through time', () => {
  it('is a line for each state of an LSTM, with every number in a table that can be copied', async () => {
    const host = new FakeHost(readExample('adding'));
    const { panel, close } = await shown(host);
    const figure = panel.page.locator('figure', { hasText: 'Gradient through time' });
    await figure.locator('summary').click();
    await figure.locator('tbody tr').first().waitFor();
    expect(await figure.locator('.key-name').allInnerTexts()).toEqual([
      'recurrent.cell_state',
      'recurrent.hidden_state',
    ]);
    const [cell, hidden] = ['cell_state', 'hidden_state'].map(
      (state) => runQuery(host.session!, { type: 'state_norms', layer: 0, state }).value!.gradient!,
    );
    const numbers = await figure
      .locator('tbody [data-value]')
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));
    expect(numbers).toEqual(Array.from(cell, (norm, t) => [norm, hidden[t]].map(formatExact)).flat());
    await figure.getByRole('button', { name: 'Copy all' }).click();
    const rows = host.callsTo('copyText')[0][0].split('\n');
    expect(rows).toHaveLength(31);
    expect(rows[30].split('\t').map(Number)).toEqual([30, cell[29], hidden[29]]);
    expect(panel.problems).toEqual([]);
    await close();
  });

  it('is hidden without recurrent layers', async () => {
    const { panel, close } = await shown(new FakeHost(readExample('circles')));
    expect(await panel.page.locator('figure', { hasText: 'Gradient through time' }).isVisible()).toBe(false);
    await close();
  });
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const width of [1000, 320]) {
      const { panel, close } = await shown(new FakeHost(readExample('adding')), { theme, width });
      const figure = panel.page.locator('figure', { hasText: 'Gradient through time' });
      await figure.locator('summary').click();
      await figure.locator('tbody tr').first().waitFor();
      expect(await figure.evaluate((own) => own.scrollWidth <= own.clientWidth + 1)).toBe(true);
      expect(await axeViolations(panel.page)).toEqual([]);
      await figure.scrollIntoViewIfNeeded();
      await panel.screenshot(`state-norms-${theme}-${width}`);
      await close();
    }
  });
});
