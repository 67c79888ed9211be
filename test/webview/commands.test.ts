// What the panel sends: commands by button, key, field and pointer; subscriptions; acknowledgments of painted frames.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionCommand } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { clickTab, showMoreControls, viewsOf } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';
import { long } from './harness/specs';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
async function begin(text: string): Promise<void> {
  host = new FakeHost(text);
  panel = await openPanel(browser, host);
}
async function end(): Promise<void> {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
}
beforeEach(() => begin(readExample('circles')));
afterEach(end);

const sent = (): SessionCommand[] => host.callsTo('command').map(([command]) => command);
// The speed is sent with every new run and has its own test.
const commands = (): SessionCommand[] => sent().filter(({ type }) => type !== 'setSpeed');
const at = (step: number, phase = 0) =>
  host.waitForFrame(({ position, target }) => position.step === step && position.phase === phase && target === null);
const go = async (step: number): Promise<void> => {
  await host.requests.command({ type: 'runToStep', step });
  await at(step);
  await panel.waitUntilDrawn();
};

describe('the speed', () => {
  it('is slow enough to watch from the start, and can be chosen', async () => {
    const { totalSteps } = host.session!.model;
    expect(sent()).toEqual([{ type: 'setSpeed', stepsPerSecond: totalSteps / 8 }]);
    await panel.page.locator('#speed').selectOption('1');
    await panel.page.locator('#speed').selectOption('full');
    await panel.waitUntilDrawn();
    expect(sent().slice(1)).toEqual([
      { type: 'setSpeed', stepsPerSecond: 1 },
      { type: 'setSpeed', stepsPerSecond: null },
    ]);
    expect(await panel.storedState()).toMatchObject({ speed: 'full' });
  });
});

describe('buttons', () => {
  it('step, go by phases, and go back, exactly', async () => {
    const press = (action: string): Promise<void> => panel.page.locator(`[data-action="${action}"]`).click();
    const start = host.session?.stateHash();
    await press('step');
    await at(1);
    await panel.waitUntilDrawn();
    await press('stepPhase');
    await at(1, 1);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.phase').innerText()).toBe('zero gradients');
    await press('stepPhase');
    await at(1, 2);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.phase').innerText()).toBe('forward: hidden');
    expect(await panel.page.locator('[data-layer="0"]').getAttribute('class')).toContain('forward');
    await press('backPhase');
    await at(1, 1);
    await panel.waitUntilDrawn();
    await press('backStep');
    await at(1);
    await panel.waitUntilDrawn();
    await press('backStep');
    await at(0);
    expect(host.session?.stateHash()).toBe(start);
    expect(commands().map(({ type }) => type)).toEqual([
      'step',
      'stepPhase',
      'stepPhase',
      'backPhase',
      'backStep',
      'backStep',
    ]);
  });

  it('do nothing where they cannot', async () => {
    await showMoreControls(panel.page);
    for (const action of ['reset', 'backStep', 'backPhase']) {
      const button = panel.page.locator(`[data-action="${action}"]`);
      expect(await button.getAttribute('aria-disabled')).toBe('true');
      await button.click({ force: true });
    }
    expect(commands()).toEqual([]);
  });

  it('run, pause and reset', async () => {
    await end();
    await begin(long(readExample('circles')));
    const run = panel.page.locator('[data-action="toggleRun"]');
    expect(await run.innerText()).toContain('Run');
    await run.click();
    await host.waitForFrame(({ status }) => status === 'running');
    await panel.page.locator('[data-action="toggleRun"]', { hasText: 'Pause' }).click();
    await host.waitForFrame(({ status }) => status === 'paused' || status === 'finished');
    await panel.waitUntilDrawn();
    await showMoreControls(panel.page);
    await panel.page.locator('[data-action="reset"]').click();
    await host.waitForFrame(({ status }) => status === 'ready');
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('ready');
    expect(await panel.page.locator('#step').inputValue()).toBe('0');
  });
});

describe('keys', () => {
  it('are the debugger’s, and go no further than the panel', async () => {
    await end();
    await begin(long(readExample('circles')));
    await panel.page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      window.addEventListener('keydown', (event) => seen.push(event.key));
    });
    await panel.page.keyboard.press('F10');
    await at(1);
    await panel.waitUntilDrawn();
    await panel.page.keyboard.press('F11');
    await at(1, 1);
    await panel.waitUntilDrawn();
    await panel.page.keyboard.press('Shift+F11');
    await at(1);
    await panel.waitUntilDrawn();
    await panel.page.keyboard.press('Shift+F10');
    await at(0);
    await panel.waitUntilDrawn();
    await panel.page.keyboard.press('F5');
    await host.waitForFrame(({ status }) => status === 'running');
    await panel.waitUntilDrawn();
    await panel.page.keyboard.press('F5');
    await host.waitForFrame(({ status }) => status !== 'running');
    expect(commands().map(({ type }) => type)).toEqual(['step', 'stepPhase', 'backPhase', 'backStep', 'run', 'pause']);
    // The editor listens at the window: an event that reaches it would be handled twice.
    expect(
      await panel.page.evaluate(() =>
        (window as unknown as { seen: string[] }).seen.filter((key) => key.startsWith('F')),
      ),
    ).toEqual([]);
  });

  it('work while a field has the focus', async () => {
    await showMoreControls(panel.page);
    await panel.page.locator('#lr').focus();
    await panel.page.keyboard.press('F10');
    await at(1);
    expect(commands()).toEqual([{ type: 'step' }]);
  });

  it('move in the layer list, which is one stop of the tab key', async () => {
    const rows = panel.page.locator('[role="option"]');
    expect(await rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).tabIndex))).toEqual([0, -1, -1]);
    await rows.first().focus();
    await panel.page.keyboard.press('ArrowDown');
    await panel.page.keyboard.press('ArrowDown');
    await panel.waitUntilDrawn();
    expect(await panel.page.evaluate(() => document.activeElement?.getAttribute('data-layer'))).toBe('1');
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('ArrowDown');
    await panel.page.keyboard.press('Home');
    await panel.waitUntilDrawn();
    expect(host.callsTo('selectLayer').map(([layer]) => layer)).toEqual([0, 1, 2, 0]);
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-selected')))).toEqual([
      'true',
      'false',
      'false',
    ]);
    expect(await rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).tabIndex))).toEqual([0, -1, -1]);
  });

  it('move between the tabs, round and round', async () => {
    const selected = (): Promise<string> =>
      panel.page.locator('[role="tab"][aria-selected="true"]').evaluate(({ id }) => id);
    const ids = (await viewsOf(panel.page)).map((view) => `tab-${view}`);
    await panel.page.locator('[role="tab"]').first().focus();
    await panel.page.keyboard.press('ArrowLeft');
    await panel.waitUntilDrawn();
    expect(await selected()).toBe(ids.at(-1));
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('ArrowRight');
    await panel.waitUntilDrawn();
    expect(await selected()).toBe(ids[1]);
    expect(await panel.page.evaluate(() => document.activeElement?.id)).toBe(ids[1]);
    await panel.page.keyboard.press('Home');
    await panel.waitUntilDrawn();
    expect(await selected()).toBe(ids[0]);
  });
});

describe('several views', () => {
  const open = (): Promise<string[]> => panel.page.locator('.view').evaluateAll((all) => all.map(({ id }) => id));

  it('stand beside each other, in the order of the tabs; all that can be seen is measured', async () => {
    await panel.page.setViewportSize({ width: 1600, height: 1000 });
    await panel.page.locator('[data-action="multi-view"]').click();
    for (const view of ['tensors', 'gradients']) await clickTab(panel.page, view);
    await panel.waitUntilDrawn();
    expect(await open()).toEqual(['view-learn', 'view-tensors', 'view-gradients']);
    const places = await panel.page
      .locator('.tile')
      .evaluateAll((all) => all.map((tile) => tile.getBoundingClientRect()));
    for (const { width, height } of places) expect(Math.min(width, height)).toBeGreaterThan(200);
    expect(host.callsTo('subscribe').at(-1)?.[1]).toEqual([
      [{ type: 'tensor', layer: 0, kind: 'output' }],
      [{ type: 'gradient_histograms', parameter: 'hidden.weight' }, { type: 'lr_scan' }],
    ]);
    expect(await panel.storedState()).toMatchObject({ multiView: true, open: ['learn', 'tensors', 'gradients'] });
  });

  it('close by their tabs, but for the last one', async () => {
    await panel.page.locator('[data-action="multi-view"]').click();
    await clickTab(panel.page, 'check');
    await clickTab(panel.page, 'learn');
    await panel.waitUntilDrawn();
    expect(await open()).toEqual(['view-check']);
    await clickTab(panel.page, 'check');
    await panel.waitUntilDrawn();
    expect(await open()).toEqual(['view-check']);
  });

  it('out of sight are not measured, and drawn again in sight', async () => {
    await panel.page.setViewportSize({ width: 700, height: 420 });
    await panel.page.locator('[data-action="multi-view"]').click();
    for (const view of ['gradients', 'activations', 'tensors']) await clickTab(panel.page, view);
    await panel.waitUntilDrawn();
    expect(host.callsTo('subscribe').at(-1)?.[1]).toEqual([]);
    await panel.page.locator('#view-tensors').scrollIntoViewIfNeeded();
    await panel.page.waitForFunction(
      () => (document.querySelector('#view-tensors')?.getBoundingClientRect().top ?? 1e9) < innerHeight,
    );
    await vi.waitFor(() =>
      expect(host.callsTo('subscribe').at(-1)?.[1]).toEqual([[{ type: 'tensor', layer: 0, kind: 'output' }]]),
    );
  });
});

describe('fields', () => {
  const enter = async (id: string, text: string): Promise<void> => {
    if (id !== '#step') await showMoreControls(panel.page);
    await panel.page.locator(id).fill(text);
    await panel.page.locator(id).press('Enter');
  };

  it('go to a step that was reached, and train up to one that was not', async () => {
    await enter('#step', '5');
    await at(5);
    await panel.waitUntilDrawn();
    await enter('#step', '2');
    await at(2);
    expect(commands()).toEqual([
      { type: 'runToStep', step: 5 },
      { type: 'seek', step: 2 },
    ]);
  });

  it('run to an epoch or a step', async () => {
    await enter('#run-to', '2');
    await at(16);
    await panel.page.locator('#more .group select').selectOption('step');
    await panel.page.locator('#run-to').fill('20');
    await panel.page.getByRole('button', { name: 'Run to there' }).click();
    await at(20);
    expect(commands()).toEqual([
      { type: 'runToEpoch', epoch: 2 },
      { type: 'runToStep', step: 20 },
    ]);
  });

  it('change the learning rate', async () => {
    await enter('#lr', '0.05');
    await host.waitForFrame(({ lr }) => lr === 0.05);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#lr').inputValue()).toBe('0.05');
    expect(commands()).toEqual([{ type: 'setLearningRate', lr: 0.05 }]);
  });

  it('refuse what makes no sense, in words, and come back on Escape', async () => {
    for (const [id, text, words] of [
      ['#lr', '-1', '0 or more'],
      ['#lr', 'fast', '“fast” is not a number.'],
      ['#step', '2.5', 'whole number'],
      ['#step', '99999', 'This run ends at step 800.'],
    ]) {
      await enter(id, text);
      await panel.waitUntilDrawn();
      expect(await panel.page.locator('.notices').innerText()).toContain(words);
      expect(await panel.page.locator(id).getAttribute('aria-invalid')).toBe('true');
      await panel.page.locator(id).press('Escape');
      expect(await panel.page.locator(id).inputValue()).toBe(id === '#lr' ? '0.1' : '0');
      expect(await panel.page.locator(id).getAttribute('aria-invalid')).toBeNull();
    }
    await enter('#lr', 'fast');
    await panel.page.locator('#step').focus();
    expect(await panel.page.locator('#lr').inputValue()).toBe('0.1');
    expect(commands()).toEqual([]);
  });

  it('are not overwritten while somebody types', async () => {
    await showMoreControls(panel.page);
    await panel.page.locator('#lr').fill('0.0');
    await panel.page.keyboard.press('F10');
    await at(1);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#lr').inputValue()).toBe('0.0');
  });
});

describe('time', () => {
  it('is dragged to any step that was reached', async () => {
    await go(40);
    const slider = panel.page.locator('.strip input');
    expect(await slider.getAttribute('max')).toBe('40');
    await slider.fill('7');
    await at(7);
    await panel.waitUntilDrawn();
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 7 of 40');
    await slider.press('ArrowLeft');
    await at(6);
    expect(commands().slice(1)).toEqual([
      { type: 'seek', step: 7 },
      { type: 'seek', step: 6 },
    ]);
  });

  it('goes where a chart is clicked; one crosshair is at one step in all charts', async () => {
    await go(40);
    const [loss, accuracy] = [panel.page.locator('.chart').nth(0), panel.page.locator('.chart').nth(1)];
    const box = await loss.locator('canvas').boundingBox();
    expect(box).not.toBeNull();
    if (!box) return;
    const pixel = [box.x + box.width * 0.4, box.y + box.height * 0.5] as const;
    await panel.page.mouse.move(...pixel);
    await panel.waitUntilDrawn();
    const shown = Number(await loss.locator('.key.at .number').innerText());
    expect(shown).toBeGreaterThan(5);
    expect(await accuracy.locator('.key.at .number').innerText()).toBe(String(shown));
    await panel.page.mouse.click(...pixel);
    await at(shown);
    expect(commands().at(-1)).toEqual({ type: 'seek', step: shown });
    await panel.page.mouse.move(5, 5);
    await panel.waitUntilDrawn();
    expect(await loss.locator('.key.at .number').innerText()).toBe(String(shown));
  });

  it('goes to a phase where its cell is clicked', async () => {
    await go(3);
    await panel.page.locator('.track i').nth(4).click();
    await at(2, 5);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.phase').innerText()).toBe('loss');
  });
});

describe('what is measured', () => {
  const needed = () => {
    const [probes, queries] = host.callsTo('subscribe').at(-1) ?? [];
    return { probes, queries };
  };

  it('is what can be seen', async () => {
    expect(needed()).toEqual({ probes: ['activations', 'gradients', 'updates'], queries: [] });
    await clickTab(panel.page, 'tensors');
    await panel.waitUntilDrawn();
    expect(needed().queries).toEqual([[{ type: 'tensor', layer: 0, kind: 'output' }]]);
    await panel.page.locator('[data-layer="2"]').click();
    await panel.page.getByRole('button', { name: 'dL/d bias' }).click();
    await panel.waitUntilDrawn();
    expect(needed().queries).toEqual([[{ type: 'tensor', layer: 2, kind: 'parameter_gradient', parameter: 'bias' }]]);
    // A layer without parameters has no such tensor, so a related one is shown.
    await panel.page.locator('[data-layer="1"]').click();
    await panel.waitUntilDrawn();
    expect(needed().queries).toEqual([[{ type: 'tensor', layer: 1, kind: 'output_gradient' }]]);
    await clickTab(panel.page, 'learn');
    await panel.waitUntilDrawn();
    expect(needed().queries).toEqual([]);
  });

  it('leaves out the layer list where it is out of sight', async () => {
    await panel.page.setViewportSize({ width: 320, height: 500 });
    await panel.waitUntilDrawn();
    expect(needed()).toEqual({ probes: [], queries: [] });
    await panel.page.locator('.layers .end').last().scrollIntoViewIfNeeded();
    await panel.waitUntilDrawn();
    expect(needed().probes).toEqual(['activations', 'gradients', 'updates']);
    // In Diagnose it comes first.
    await panel.page.locator('#panel').evaluate((whole) => whole.scrollTo(0, 0));
    await clickTab(panel.page, 'check');
    await panel.waitUntilDrawn();
    expect(needed().probes).toEqual(['activations', 'gradients', 'updates']);
  });

  it('is not said twice', async () => {
    await clickTab(panel.page, 'check');
    await panel.waitUntilDrawn();
    const before = host.callsTo('subscribe').length;
    await clickTab(panel.page, 'cost');
    await clickTab(panel.page, 'check');
    await panel.waitUntilDrawn();
    expect(host.callsTo('subscribe').length).toBe(before);
  });
});

describe('frames', () => {
  it('are each said to be taken, and are on the page when the run rests', async () => {
    await go(3);
    expect(host.drawn).toEqual(host.sent);
    expect(host.sent.length).toBeGreaterThan(0);
  });

  it('come one at a time while running, and the run goes to its end', async () => {
    await panel.page.locator('[data-action="toggleRun"]').click();
    const last = await host.waitForFrame(({ status }) => status === 'finished');
    await panel.waitUntilDrawn();
    expect(last.position.step).toBe(800);
    expect(host.drawn).toEqual(host.sent);
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('finished');
    expect(await panel.page.locator('#step').inputValue()).toBe('800');
  });
});

describe('a check', () => {
  it('is asked for by its button, which opens its view', async () => {
    await panel.page.locator('[data-action="check"]').click();
    await panel.page.locator('.verdict').waitFor();
    expect(host.callsTo('check').length).toBe(1);
    expect(await panel.page.locator('[role="tab"][aria-selected="true"]').innerText()).toBe('Check');
  });

  it('shows its progress and can be cancelled', async () => {
    await panel.send({
      type: 'checking',
      progress: { checked: 5, entries: 22, counts: { pass: 3, wrong: 2, kink: 0, below_noise: 0 }, diagnosing: false },
    });
    await clickTab(panel.page, 'check');
    await panel.waitUntilDrawn();
    const progress = panel.page.locator('progress');
    expect([
      await progress.getAttribute('max'),
      await progress.evaluate((bar) => (bar as HTMLProgressElement).value),
    ]).toEqual(['22', 5]);
    expect(await panel.page.locator('.progress').innerText()).toMatch(/Checking: 5 of 22 entries\s+3 pass\s+2 wrong/);
    await panel.page.locator('[data-action="cancelCheck"]').click();
    expect(host.callsTo('cancelCheck').length).toBe(1);
  });
});
