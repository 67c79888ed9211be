// Time: pinned steps, what changed since, and a fork of the run; every number read back from the page is the engine's own.
import { beforeEach, afterEach, describe, expect, it } from 'vitest';
import { seriesName } from '../../src/history/history';
import { TrainingSession } from '../../src/session/session';
import { fullNumber } from '../../webview/numbers';
import { useBrowser } from './chromium';
import { violations } from './harness/axe';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;beforeEach(async () => {
  host = new FakeHost(readExample('circles'));
  for (let step = 8; step <= 80; step += 8) {
    await host.runner.command({ type: 'runToStep', step });
    await host.until(({ position, target }) => position.step === step && target === null);
  }
  panel = await openPanel(browser, host);
});
afterEach(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
});

/** The same run at another step, trained on its own. */
function straight(step: number): TrainingSession {
  const { run } = host.session as TrainingSession;
  const session = new TrainingSession(run, '');
  session.seek(step);
  return session;
}

const full = (selector: string): Promise<string[]> =>
  panel.page.locator(`${selector} [data-value]`).evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));

async function goTo(step: number): Promise<void> {
  await host.receive({ type: 'command', command: { type: 'seek', step } });
  await host.until(({ position, target }) => position.step === step && target === null);
  await panel.settled();
}

describe('pinned steps', () => {
  it('are pinned and gone to by keyboard, kept in the panel’s state, and seen beside now', async () => {
    const { page } = panel;
    await goTo(24);
    await page.locator('[data-action="pin"]').focus();
    await page.keyboard.press('Enter');
    expect((await panel.state()).kept).toMatchObject({ pins: { steps: [24] } });
    await page.locator('.strip input').focus();
    await page.keyboard.press('End');
    await host.until(({ position, target }) => position.step === 80 && target === null);
    await panel.settled();
    await page.locator('#tab-time').click();
    await panel.settled();
    const losses = host.history.get(seriesName.loss('train'))?.data();
    const [then, now] = [losses?.low[losses.steps.indexOf(24)] ?? NaN, host.frame?.evaluation.train?.loss ?? NaN];
    expect(await full('[data-pin="24"] td:nth-child(4)')).toEqual([then, now - then].map(fullNumber));
    await page.locator('[data-pin="24"] th button').click();
    await host.until(({ position, target }) => position.step === 24 && target === null);
    // Another panel, made anew, has them again.
    const again = await openPanel(browser, host, { kept: await panel.state() });
    expect(await again.page.locator('[data-pin="24"]').count()).toBe(1);
    expect(await again.page.locator('[data-action="pin"]').getAttribute('aria-pressed')).toBe('true');
    await again.page.locator('[data-action="pin"]').click();
    await again.settled();
    expect(await again.page.locator('[data-pin]').count()).toBe(0);
    await panel.page.close();
    panel = again;
  });
});

describe('what changed since', () => {
  it('has the tensor now, at the pin and their difference, each the engine’s own', async () => {
    const { page } = panel;
    await page.close();
    panel = await openPanel(browser, host, { kept: { view: 'tensors', layer: 0, tensor: 'parameter', parameter: 'weight', kept: { pins: { steps: [24] } } } });
    await panel.page.locator('#since').selectOption('24');
    const [now, then] = [host.session as TrainingSession, straight(24)].map(({ network }) => [...network.parameters[0].value.data]);
    for (const [show, values] of [['difference', now.map((value, i) => value - then[i])], ['now', now], ['step 24', then]] as const) {
      await panel.page.locator('.segment', { hasText: new RegExp(`^${show}$`) }).click();
      await panel.page.locator('.map canvas').waitFor();
      if (!(await panel.page.locator('.view table').count())) await panel.page.locator('.view summary').click();
      await panel.settled();
      expect(await full('.view table')).toEqual(values.map(fullNumber));
    }
    await panel.page.locator('.map canvas').focus();
    await panel.page.keyboard.press('ArrowDown');
    expect(await full('[data-part="now"]')).toEqual([fullNumber(now[2])]);
    expect(await full('[data-part="then"]')).toEqual([fullNumber(then[2])]);
    expect(await full('[data-part="difference"]')).toEqual([fullNumber(now[2] - then[2])]);
    expect(await violations(panel.page)).toEqual([]);
    // The run goes on, and so does the difference.
    await goTo(40);
    await panel.page.waitForFunction((wanted) => document.querySelector('[data-part="now"] [data-value]')?.getAttribute('data-value') === wanted, fullNumber(straight(40).network.parameters[0].value.data[2]));
    expect(host.session?.hash()).toBe(straight(40).hash());
  });
});

describe('a fork', () => {
  it('is trained beside the run, drawn with it, said in words, and carried on with', async () => {
    const { page } = panel;
    const before = host.session?.hash();
    await page.locator('#tab-time').click();
    await page.locator('[data-action="fork"]').click();
    expect(await page.locator('.notice').innerText()).toContain('another learning rate, or another seed');
    for (const [id, value] of [['from', '40'], ['lr', '0.5'], ['to', '96']]) {
      await page.locator(`#fork-${id}`).fill(value);
      await page.keyboard.press('Enter');
    }
    await page.locator('[data-action="fork"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-outcome]').waitFor();
    expect([host.session?.hash(), host.session?.frontier]).toEqual([before, 80]);
    const fork = straight(40);
    fork.setLearningRate(0.5);
    fork.seek(80);
    const common = fork.evaluate().train?.loss ?? NaN;
    const run = host.frame?.evaluation.train?.loss ?? NaN;
    expect(await full('[data-outcome]')).toEqual([common, run].map(fullNumber));
    expect(await page.locator('[data-differs]').innerText()).toContain('From step 40 on the fork has learning rate 0.5 instead of 0.1.');
    await page.locator('figure summary').click();
    await page.locator('figure tbody').waitFor();
    const rows = await page.locator('figure table tbody tr').evaluateAll((all) => all.map((row) => [row.querySelector('th')?.textContent, ...[...row.querySelectorAll('td')].map((cell) => cell.querySelector<HTMLElement>('[data-value]')?.dataset.value ?? '')]));
    const losses = host.history.get(seriesName.batchLoss)?.data();
    expect(rows.find(([step]) => step === '80')?.slice(1, 3)).toEqual([losses?.low[79], fork.loss].map((loss) => fullNumber(loss ?? NaN)));
    fork.seek(96);
    expect(rows.find(([step]) => step === '96')?.slice(1, 3)).toEqual(['', fullNumber(fork.loss ?? NaN)]);
    await panel.shot('panel-dark-fork');
    expect(await violations(page)).toEqual([]);
    await page.locator('[data-action="carry-on"]').click();
    await host.until(({ position, target }) => position.step === 96 && target === null);
    expect(host.session?.hash()).toBe(fork.hash());
    await panel.settled();
    expect(await page.locator('#lr').inputValue()).toBe('0.5');
  });

  it('can be cancelled, and what can be undone is asked of the editor', async () => {
    const { page } = panel;
    await page.locator('#tab-time').click();
    await page.locator('#fork-seed').fill('7');
    await page.locator('#fork-to').fill('399');
    await page.keyboard.press('Enter');
    await page.locator('[data-action="fork"]').click();
    // Whether or not it is done by now, it goes away.
    await page.locator('[data-action="cancel-fork"], [data-action="drop-fork"]').first().click();
    await page.locator('[data-action="fork"]').waitFor();
    await panel.settled();
    const asked = host.of('ask').length;
    await page.locator('[data-action="undo"]').focus();
    await page.keyboard.press('Enter');
    expect(host.of('undo')).toEqual([]);
    await panel.send({ type: 'undo', what: 'learning rate 0.5 from step 40 on' });
    await panel.settled();
    await page.locator('[data-action="undo"]').click();
    expect(host.of('undo')).toHaveLength(1);
    expect(host.of('ask').length).toBe(asked);
  });
});
