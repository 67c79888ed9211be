// The view Cost: measured on request, one network after the other, with progress and cancellation; every number is the
// engine's.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Query, QueryResult } from '../../src/protocol/panel';
import { NETWORK_SIZES } from '../../src/session/gradient-cost';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { formatExact } from '../../src/presentation/numbers';
import { compileRun } from '../support/session-fixtures';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, type PanelPage, themeNames } from './harness/page';

const browser = useBrowser();
const answers: QueryResult<'gradient_cost'>[] = [];
beforeAll(async () => {
  const text = readExample('circles');
  const session = new TrainingSession(compileRun(text), text, { now: () => performance.now() });
  for (let index = 0; index < NETWORK_SIZES.length; index++)
    answers.push(runQuery(session, { type: 'gradient_cost', index }));
});
/** Returns recorded measurements; from `holds` on, only when released. */
class MeasuredHost extends FakeHost {
  letGo: () => void = () => undefined;

  constructor(readonly holds = Infinity) {
    super(readExample('circles'));
  }

  protected override async answerQuery(query: Query): Promise<QueryResult> {
    if (query.type !== 'gradient_cost') return super.answerQuery(query);
    if (query.index >= this.holds) await new Promise<void>((go) => (this.letGo = go));
    return answers[query.index];
  }

  get asked(): number[] {
    return this.callsTo('query').flatMap(([query]) => (query.type === 'gradient_cost' ? [query.index] : []));
  }
}

async function shown(host: FakeHost, options: PageOptions = {}): Promise<OwnPanel> {
  const own = await openOwnPanel(browser, host, { height: 1000, ...options });
  await clickTab(own.panel.page, 'cost');
  return own;
}

const status = (panel: PanelPage, words: string | RegExp): Promise<void> =>
  panel.page.locator('.view [role="status"]').getByText(words).waitFor();

describe('the cost of a gradient', () => {
  it('is measured by the engine, network by network', async () => {
    for (const [i, { value }] of answers.entries()) {
      const { depth, width } = NETWORK_SIZES[i];
      // 2 inputs, 2 outputs, weights and biases.
      expect(value).toMatchObject({
        networkCount: 8,
        batchSize: 32,
        cost: { depth, width, parameters: 3 * width + (depth - 1) * (width * width + width) + 2 * (width + 1) },
      });
      expect(value!.cost.naive).toBeGreaterThan(value!.cost.backprop);
      expect(value!.cost.maxRelativeDifference).toBeLessThan(1e-5);
    }
    const widest = answers[4].value!.cost;
    expect(widest.naive / widest.backprop).toBeGreaterThan(20);
  });

  it('is shown as a chart and a table with every number, and can be copied', async () => {
    const host = new MeasuredHost();
    const { panel, close } = await shown(host);
    const { page } = panel;
    expect(await page.locator('[data-cost]').count()).toBe(0);
    await page.getByRole('button', { name: 'Measure' }).click();
    await status(panel, 'Measured: 8 networks.');
    expect(host.asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const digits = await page
      .locator('[data-cost] [data-value]')
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));
    const costs = answers.map(({ value }) => value!.cost);
    expect(digits).toEqual(costs.flatMap(({ backprop, naive }) => [backprop, naive].map(formatExact)));
    expect(await page.locator('figure .keys').textContent()).toMatch(
      /naive, wider.*backprop, wider.*naive, deeper.*backprop, deeper/s,
    );
    expect(await page.locator('figure canvas').getAttribute('aria-label')).toContain(
      `${costs[7].parameters} parameters`,
    );
    await page.getByRole('button', { name: 'Copy all' }).click();
    const rows = host
      .callsTo('copyText')[0][0]
      .split('\n')
      .slice(1)
      .map((row) => row.split('\t').map(Number));
    expect(
      rows.map(([depth, width, parameters, backprop, naive]) => ({ depth, width, parameters, backprop, naive })),
    ).toEqual(
      costs.map(({ depth, width, parameters, backprop, naive }) => ({ depth, width, parameters, backprop, naive })),
    );
    await close();
  });

  it('shows progress, can be cancelled, keeps its results, and can start over', async () => {
    const host = new MeasuredHost(3);
    const { panel, close } = await shown(host);
    const { page } = panel;
    await page.getByRole('button', { name: 'Measure' }).click();
    await status(panel, '3 of 8 networks measured');
    expect(await page.locator('.progress progress').evaluate((bar: HTMLProgressElement) => bar.value / bar.max)).toBe(
      3 / 8,
    );
    await page.getByRole('button', { name: 'Cancel' }).press('Enter');
    await status(panel, 'Cancelled after 3 of 8 networks.');
    // A late result is ignored.
    host.letGo();
    await panel.waitUntilDrawn();
    expect(await page.locator('[data-cost]').count()).toBe(3);
    expect(host.asked).toEqual([0, 1, 2, 3]);
    await page.getByRole('button', { name: 'Measure again' }).click();
    await status(panel, '3 of 8 networks measured');
    expect(host.asked.slice(4)).toEqual([0, 1, 2, 3]);
    await close();
  });
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const width of [1000, 320]) {
      const { panel, close } = await shown(new MeasuredHost(), { theme, width });
      await panel.page.getByRole('button', { name: 'Measure' }).click();
      await status(panel, 'Measured: 8 networks.');
      await panel.waitUntilDrawn();
      await panel.screenshot(`cost-${theme}-${width}`);
      expect(await axeViolations(panel.page)).toEqual([]);
      await close();
    }
  });
});
