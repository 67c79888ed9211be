// The view of what a gradient costs: measured on request, one network after the other, with progress and a way to stop; every
// number is the engine's own.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answered, FromPanel } from '../../src/protocol/panel';
import { GROWING } from '../../src/session/cost';
import { answerTo } from '../../src/session/questions';
import { TrainingSession } from '../../src/session/session';
import { fullNumber } from '../../webview/numbers';
import { runOf } from '../support/run';
import { useBrowser } from './chromium';
import { violations } from './harness/axe';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage, themeNames } from './harness/page';

const browser = useBrowser();
const answers: Answered<'cost'>[] = [];
beforeAll(async () => {
  const text = readExample('circles');
  const session = new TrainingSession(runOf(text), text, { now: () => performance.now() });
  for (let index = 0; index < GROWING.length; index++) answers.push(answerTo(session, { about: 'cost', index }));
});
/** Answers with what was measured once; from `holds` on only when it is let go. */
class MeasuredHost extends FakeHost {
  letGo: () => void = () => undefined;

  constructor(readonly holds = Infinity) {
    super(readExample('circles'));
  }

  override async receive(message: FromPanel): Promise<void> {
    if (message.type !== 'ask' || message.question.about !== 'cost') return super.receive(message);
    this.received.push(message);
    const { index } = message.question;
    if (index >= this.holds) await new Promise<void>((go) => (this.letGo = go));
    await this.send({ type: 'answer', id: message.id, answered: answers[index] });
  }

  get asked(): number[] {
    return this.of('ask').flatMap(({ question }) => (question.about === 'cost' ? [question.index] : []));
  }
}

async function shown(host: FakeHost, options: Parameters<typeof openPanel>[2] = {}): Promise<{ panel: PanelPage; close(): Promise<void> }> {
  const panel = await openPanel(browser, host, { height: 1000, ...options });
  await panel.page.locator('#tab-cost').click();
  return {
    panel,
    async close() {
      expect(panel.problems).toEqual([]);
      await host.dispose();
      await panel.page.close();
    },
  };
}

const status = (panel: PanelPage, words: string | RegExp): Promise<void> => panel.page.locator('.view [role="status"]').getByText(words).waitFor();

describe('the cost of a gradient', () => {
  it('is measured by the engine, network by network', async () => {
    for (const [i, { answer }] of answers.entries()) {
      const { depth, width } = GROWING[i];
      // 2 inputs, 2 outputs, weights and biases.
      expect(answer).toMatchObject({ of: 8, batchSize: 32, cost: { depth, width, parameters: 3 * width + (depth - 1) * (width * width + width) + 2 * (width + 1) } });
      expect(answer!.cost.naive).toBeGreaterThan(answer!.cost.backprop);
      expect(answer!.cost.difference).toBeLessThan(1e-5);
    }
    const widest = answers[4].answer!.cost;
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
    const digits = await page.locator('[data-cost] [data-value]').evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));
    const costs = answers.map(({ answer }) => answer!.cost);
    expect(digits).toEqual(costs.flatMap(({ backprop, naive }) => [backprop, naive].map(fullNumber)));
    expect(await page.locator('figure .keys').textContent()).toMatch(/naive, wider.*backprop, wider.*naive, deeper.*backprop, deeper/s);
    expect(await page.locator('figure canvas').getAttribute('aria-label')).toContain(`${costs[7].parameters} parameters`);
    await page.getByRole('button', { name: 'Copy all' }).click();
    const rows = host.of('copy')[0].text.split('\n').slice(1).map((row) => row.split('\t').map(Number));
    expect(rows.map(([depth, width, parameters, backprop, naive]) => ({ depth, width, parameters, backprop, naive }))).toEqual(
      costs.map(({ depth, width, parameters, backprop, naive }) => ({ depth, width, parameters, backprop, naive })),
    );
    await close();
  });

  it('tells how far it is, stops when it is told to, keeps what it has, and begins anew', async () => {
    const host = new MeasuredHost(3);
    const { panel, close } = await shown(host);
    const { page } = panel;
    await page.getByRole('button', { name: 'Measure' }).click();
    await status(panel, '3 of 8 networks measured');
    expect(await page.locator('.progress progress').evaluate((bar: HTMLProgressElement) => bar.value / bar.max)).toBe(3 / 8);
    await page.getByRole('button', { name: 'Cancel' }).press('Enter');
    await status(panel, 'Cancelled after 3 of 8 networks.');
    // What comes late is left aside.
    host.letGo();
    await panel.settled();
    expect(await page.locator('[data-cost]').count()).toBe(3);
    expect(host.asked).toEqual([0, 1, 2, 3]);
    await page.getByRole('button', { name: 'Measure again' }).click();
    await status(panel, '3 of 8 networks measured');
    expect(host.asked.slice(4)).toEqual([0, 1, 2, 3]);
    await close();
  });
});

describe.each(themeNames)('in %s', (theme) => {
  it('stands at every width, and the accessibility checker finds nothing wrong', async () => {
    for (const width of [1000, 320]) {
      const { panel, close } = await shown(new MeasuredHost(), { theme, width });
      await panel.page.getByRole('button', { name: 'Measure' }).click();
      await status(panel, 'Measured: 8 networks.');
      await panel.settled();
      await panel.shot(`cost-${theme}-${width}`);
      expect(await violations(panel.page)).toEqual([]);
      await close();
    }
  });
});
