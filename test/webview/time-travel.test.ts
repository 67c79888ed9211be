// Time: pinned steps, differences between steps, and a fork of the run; every number on the page is the engine's.
import { beforeEach, afterEach, describe, expect, it } from 'vitest';
import { seriesName } from '../../src/history/history';
import { TrainingSession } from '../../src/session/session';
import { formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab, showMoreControls } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
beforeEach(async () => {
  host = new FakeHost(readExample('circles'));
  for (let step = 8; step <= 80; step += 8) {
    await host.runner.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  panel = await openPanel(browser, host);
});
afterEach(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
});

/** The same run at another step, trained separately. */
function straight(step: number): TrainingSession {
  const { run } = host.session as TrainingSession;
  const session = new TrainingSession(run, '');
  session.seek(step);
  return session;
}

const full = (selector: string): Promise<string[]> =>
  panel.page
    .locator(`${selector} [data-value]`)
    .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));

async function goTo(step: number): Promise<void> {
  await host.requests.command({ type: 'seek', step });
  await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  await panel.waitUntilDrawn();
}

describe('pinned steps', () => {
  it('can be set and visited by keyboard, are saved, and are compared with the current step', async () => {
    const { page } = panel;
    await goTo(24);
    await page.locator('[data-action="pin"]').focus();
    await page.keyboard.press('Enter');
    expect((await panel.storedState()).viewState).toMatchObject({ pins: { steps: [24] } });
    await page.locator('.strip input').focus();
    await page.keyboard.press('End');
    await host.waitForFrame(({ position, target }) => position.step === 80 && target === null);
    await panel.waitUntilDrawn();
    await clickTab(page, 'time');
    await panel.waitUntilDrawn();
    const losses = host.history.get(seriesName.loss('train'))?.data();
    const [then, now] = [losses?.low[losses.steps.indexOf(24)] ?? NaN, host.frame?.evaluation.train?.loss ?? NaN];
    expect(await full('[data-pin="24"] td:nth-child(4)')).toEqual([then, now - then].map(formatExact));
    await page.locator('[data-pin="24"] th button').click();
    await host.waitForFrame(({ position, target }) => position.step === 24 && target === null);
    // A new panel has them again.
    const again = await openPanel(browser, host, { storedState: await panel.storedState() });
    expect(await again.page.locator('[data-pin="24"]').count()).toBe(1);
    expect(await again.page.locator('[data-action="pin"]').getAttribute('aria-pressed')).toBe('true');
    await again.page.locator('[data-action="pin"]').click();
    await again.waitUntilDrawn();
    expect(await again.page.locator('[data-pin]').count()).toBe(0);
    await panel.page.close();
    panel = again;
  });
});

describe('the comparison with a pin', () => {
  it('has the tensor now, at the pin, and their difference, each from the engine', async () => {
    const { page } = panel;
    await page.close();
    panel = await openPanel(browser, host, {
      storedState: {
        view: 'tensors',
        layer: 0,
        tensor: 'parameter',
        parameter: 'weight',
        viewState: { pins: { steps: [24] } },
      },
    });
    await panel.page.locator('#since').selectOption('24');
    const [now, then] = [host.session as TrainingSession, straight(24)].map(({ network }) => [
      ...network.parameters[0].value.data,
    ]);
    for (const [show, values] of [
      ['difference', now.map((value, i) => value - then[i])],
      ['now', now],
      ['step 24', then],
    ] as const) {
      await panel.page.locator('.segment', { hasText: new RegExp(`^\\s*${show}\\s*$`) }).click();
      await panel.page.locator('.map canvas').waitFor();
      if (!(await panel.page.locator('.view table').count())) await panel.page.locator('.view summary').click();
      await panel.waitUntilDrawn();
      expect(await full('.view table')).toEqual(values.map(formatExact));
    }
    await panel.page.locator('.map canvas').focus();
    await panel.page.keyboard.press('ArrowDown');
    expect(await full('[data-part="now"]')).toEqual([formatExact(now[2])]);
    expect(await full('[data-part="then"]')).toEqual([formatExact(then[2])]);
    expect(await full('[data-part="difference"]')).toEqual([formatExact(now[2] - then[2])]);
    expect(await axeViolations(panel.page)).toEqual([]);
    // The run continues, and the difference is updated.
    await goTo(40);
    await panel.page.waitForFunction(
      (wanted) => document.querySelector('[data-part="now"] [data-value]')?.getAttribute('data-value') === wanted,
      formatExact(straight(40).network.parameters[0].value.data[2]),
    );
    expect(host.session?.stateHash()).toBe(straight(40).stateHash());
  });
});

describe('a fork', () => {
  it('is trained and drawn with the run, described in words, and can become the run', async () => {
    const { page } = panel;
    const before = host.session?.stateHash();
    await clickTab(page, 'time');
    await page.locator('[data-action="fork"]').click();
    expect(await page.locator('.notice').innerText()).toContain('another learning rate, or another seed');
    for (const [id, value] of [
      ['from', '40'],
      ['lr', '0.5'],
      ['to', '96'],
    ]) {
      await page.locator(`#fork-${id}`).fill(value);
      await page.keyboard.press('Enter');
    }
    await page.locator('[data-action="fork"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-outcome]').waitFor();
    expect([host.session?.stateHash(), host.session?.furthestStep]).toEqual([before, 80]);
    const fork = straight(40);
    fork.setLearningRate(0.5);
    fork.seek(80);
    const common = fork.evaluate().train?.loss ?? NaN;
    const run = host.frame?.evaluation.train?.loss ?? NaN;
    expect(await full('[data-outcome]')).toEqual([common, run].map(formatExact));
    const differences = await page.locator('[data-differs]').innerText();
    for (const part of ['step 40', '0.5', '0.1']) expect(differences).toContain(part);
    await page.locator('figure summary').click();
    await page.locator('figure tbody').waitFor();
    const rows = await page
      .locator('figure table tbody tr')
      .evaluateAll((all) =>
        all.map((row) => [
          row.querySelector('th')?.textContent,
          ...[...row.querySelectorAll('td')].map(
            (cell) => cell.querySelector<HTMLElement>('[data-value]')?.dataset.value ?? '',
          ),
        ]),
      );
    const losses = host.history.get(seriesName.batchLoss)?.data();
    expect(rows.find(([step]) => step === '80')?.slice(1, 3)).toEqual(
      [losses?.low[79], fork.loss].map((loss) => formatExact(loss ?? NaN)),
    );
    fork.seek(96);
    expect(rows.find(([step]) => step === '96')?.slice(1, 3)).toEqual(['', formatExact(fork.loss ?? NaN)]);
    await panel.screenshot('panel-dark-fork');
    expect(await axeViolations(page)).toEqual([]);
    await page.locator('[data-action="carry-on"]').click();
    await host.waitForFrame(({ position, target }) => position.step === 96 && target === null);
    expect(host.session?.stateHash()).toBe(fork.stateHash());
    await panel.waitUntilDrawn();
    expect(await page.locator('#lr').inputValue()).toBe('0.5');
  });

  it('can be cancelled, and undo is requested from the host', async () => {
    const { page } = panel;
    await clickTab(page, 'time');
    await page.locator('#fork-seed').fill('7');
    await page.locator('#fork-to').fill('399');
    await page.keyboard.press('Enter');
    await page.locator('[data-action="fork"]').click();
    // Finished or not, it is removed.
    await page.locator('[data-action="cancel-fork"], [data-action="drop-fork"]').first().click();
    await page.locator('[data-action="fork"]').waitFor();
    await panel.waitUntilDrawn();
    const asked = host.callsTo('query').length;
    await showMoreControls(page);
    await page.locator('[data-action="undo"]').focus();
    await page.keyboard.press('Enter');
    expect(host.callsTo('undo')).toEqual([]);
    await panel.send({ type: 'undo', what: 'learning rate 0.5 from step 40 on' });
    await panel.waitUntilDrawn();
    await page.locator('[data-action="undo"]').click();
    expect(host.callsTo('undo')).toHaveLength(1);
    expect(host.callsTo('query').length).toBe(asked);
  });
});
