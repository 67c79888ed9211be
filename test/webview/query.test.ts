// The view Query: rows of the engine, as a table and as charts; a click goes to the step.
import { expect, it } from 'vitest';
import { formatExact } from '../../src/presentation/numbers';
import type { Query, QueryResult } from '../../src/protocol/panel';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openOwnPanel } from './harness/page';

const browser = useBrowser();
const STEPS = 60;

/** Answers are held back from the one after `holdAfter` on. */
class QueryHost extends FakeHost {
  holdAfter = Infinity;
  release: () => void = () => undefined;

  protected override async answerQuery(query: Query): Promise<QueryResult> {
    const result = await super.answerQuery(query);
    if (query.type === 'run_query' && this.asked.length > this.holdAfter)
      await new Promise<void>((go) => (this.release = go));
    return result;
  }

  get asked(): string[] {
    return this.callsTo('query').flatMap(([query]) => (query.type === 'run_query' ? [query.text] : []));
  }
}

async function open() {
  const host = new QueryHost(readExample('circles'));
  await host.runner.command({ type: 'runToStep', step: STEPS });
  await host.waitForFrame(({ position, target }) => position.step === STEPS && target === null);
  const own = await openOwnPanel(browser, host, { height: 1000, storedState: { layer: 0 } });
  return { host, ...own, page: own.panel.page };
}

it('lists the rows of the run, exports them, draws them, and goes to a step', async () => {
  const { host, page, close } = await open();
  await clickTab(page, 'query');
  const straight = new TrainingSession(compileRun(host.session!.text), host.session!.text);
  const expected: [step: number, loss: number][] = [];
  while (straight.position.step < STEPS) {
    straight.step(true);
    if (straight.loss! > 0.65) expected.push([straight.position.step, straight.loss!]);
  }
  expect(expected.length).toBeGreaterThan(3);
  await page.getByRole('textbox', { name: 'Query' }).fill('step, loss where loss > 0.65');
  await page.keyboard.press('Enter');
  await page.locator('#query-status [role="status"]').getByText(`${expected.length} rows`).waitFor();
  const table = page.getByRole('region', { name: 'Rows of the query' });
  const digits = await table
    .locator('td [data-value]')
    .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));
  expect(digits).toEqual(expected.map(([, loss]) => formatExact(loss)));
  expect(await page.locator('figure canvas').count()).toBe(1);
  await page.getByRole('button', { name: 'Copy all' }).first().click();
  const copied = host.callsTo('copyText')[0][0].split('\n').slice(1);
  expect(copied).toEqual(expected.map(([step, loss]) => `${step}\t${formatExact(loss)}`));
  const [step] = expected[1];
  await table.locator(`[data-step="${step}"]`).click();
  await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  await table.locator('tr[aria-current="true"]').getByText(String(step), { exact: true }).waitFor();
  expect(await axeViolations(page)).toEqual([]);
  await close();
});

it('shows the place of an error', async () => {
  const { page, close } = await open();
  await clickTab(page, 'query');
  await page.getByRole('textbox', { name: 'Query' }).fill('step, norm(hiden.weight)');
  await page.getByRole('button', { name: 'Run query' }).click();
  await page.getByRole('alert').getByText('hidden.weight').waitFor();
  expect(await page.locator('.query-error mark').textContent()).toBe('hiden.weight');
  await close();
});

it('can be canceled, and asks nothing more', async () => {
  const { host, page, close } = await open();
  await clickTab(page, 'query');
  host.holdAfter = 0;
  await page.getByRole('textbox', { name: 'Query' }).fill('step, loss');
  await page.getByRole('button', { name: 'Run query' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Run query' }).waitFor();
  host.release();
  host.holdAfter = Infinity;
  await page.getByRole('textbox', { name: 'Query' }).fill('first loss < 100');
  await page.keyboard.press('Enter');
  await page.locator('#query-status [role="status"]').getByText('Step 1,').waitFor();
  expect(host.asked.filter((text) => text === 'step, loss')).toHaveLength(1);
  await close();
});

it('searches from a cell for the step at which its sign changed last', async () => {
  const { host, page, close } = await open();
  await clickTab(page, 'tensors');
  await page.getByRole('application').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('[data-action="since"]').click();
  await page.getByRole('textbox', { name: 'Query' }).waitFor();
  await expect.poll(() => host.asked.length).toBeGreaterThan(0);
  expect(host.asked[0]).toMatch(/^last changes_sign\(.*\[\d+, \d+\]\)$/);
  await page
    .locator('#query-status [role="status"]')
    .getByText(/replayed/)
    .waitFor();
  await close();
});
