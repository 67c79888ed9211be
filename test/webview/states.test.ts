// Every state has its plain sentence and its next action; what goes wrong is said where it can be seen.
import { afterEach, describe, expect, it } from 'vitest';
import type { AnswerTo, PanelProblem } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { tensorOf } from './harness/answers';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PageOptions, type PanelPage } from './harness/page';
import { deep, diverging, hostile, hostileName, long, wide } from './harness/specs';

const browser = useBrowser();
const opened: { host: FakeHost; panel: PanelPage }[] = [];afterEach(async () => {
  for (const { host, panel } of opened.splice(0)) {
    expect(panel.problems).toEqual([]);
    await host.dispose();
    await panel.page.close();
  }
});

async function open(text: string | null, options: PageOptions = {}): Promise<{ host: FakeHost; panel: PanelPage }> {
  const host = new FakeHost(text);
  const panel = await openPanel(browser, host, options);
  opened.push({ host, panel });
  return { host, panel };
}

const views = ['learn', 'gradients', 'activations', 'check', 'tensors'] as const;
const problems: readonly PanelProblem[] = [
  { severity: 'error', message: 'There is no layer "lineer".', remedy: 'Did you mean "linear"?', line: 9, column: 14 },
  { severity: 'warning', message: 'A softmax in front of a loss that applies it again.', remedy: 'Leave out the softmax.', line: 12, column: 5 },
];

describe('without a run', () => {
  it('loading says what is waited for', async () => {
    const { panel } = await open(null);
    expect(await panel.page.locator('.page').innerText()).toMatch(/Loading\s+Reading the spec …/);
    expect(await panel.page.locator('.body').isVisible()).toBe(false);
    await panel.page.keyboard.press('F10');
    expect(opened[0].host.of('command')).toEqual([]);
  });

  it('problems are listed with their remedies, and each leads to its place', async () => {
    const { host, panel } = await open(null);
    await panel.send({ type: 'problems', problems });
    await panel.send({ type: 'state', state: { kind: 'problems' } });
    await panel.settled();
    const text = await panel.page.locator('.page').innerText();
    for (const { message, remedy } of problems) {
      expect(text).toContain(message);
      expect(text).toContain(remedy);
    }
    await panel.page.getByRole('button', { name: 'line 12, column 5' }).click();
    expect(host.of('reveal')).toEqual([{ type: 'reveal', problem: 1 }]);
  });

  it('the first run takes the place of the page', async () => {
    const { panel } = await open(null);
    const run = new FakeHost(readExample('circles'));
    await run.until(() => true);
    await panel.send({ type: 'snapshot', snapshot: run.snapshot() });
    await panel.settled();
    expect(await panel.page.locator('.page').count()).toBe(0);
    expect(await panel.page.locator('.layers').innerText()).toContain('hidden');
    await run.dispose();
  });
});

describe('nothing measured yet', () => {
  it('is said, with the key to press, and every view stands', async () => {
    const { panel } = await open(readExample('circles'));
    expect(await panel.page.locator('.state').innerText()).toContain('Nothing measured yet. Press Step (F10)');
    for (const view of views) {
      await panel.page.locator(`#tab-${view}`).click();
      await panel.settled();
      expect((await panel.page.locator('.view').innerText()).length).toBeGreaterThan(20);
    }
    expect(await panel.page.locator('.view').innerText()).toContain('Press Step (F10)');
  });

  it('is no reason to fail: a run without a single frame is shown, too', async () => {
    const { panel } = await open(null);
    const run = new FakeHost(readExample('circles'));
    await panel.send({ type: 'snapshot', snapshot: { ...run.snapshot(), frame: null, history: {} } });
    for (const view of views) {
      await panel.page.locator(`#tab-${view}`).click();
      await panel.settled();
      expect(await panel.page.locator('.view').count()).toBe(1);
    }
    expect(await panel.page.locator('.layers').innerText()).toContain('hidden');
    expect(await panel.page.locator('.state').innerText()).toContain('Starting');
    await run.dispose();
  });
});

describe('a run', () => {
  it('says that it trains, how fast, and until when', async () => {
    const { host, panel } = await open(long(readExample('circles')));
    await panel.page.locator('[data-action="toggleRun"]').click();
    await host.until(({ stepsPerSecond }) => stepsPerSecond !== null);
    await panel.page.locator('.phase', { hasText: /steps\/s$/ }).waitFor();
    expect(await panel.page.locator('.state').innerText()).toContain('Training. Until step');
    await panel.page.keyboard.press('F5');
    const frame = await host.until(({ status }) => status === 'paused');
    await panel.settled();
    expect(await panel.page.locator('#step').inputValue()).toBe(String(frame.position.step));
  });

  it('changes its text at most ten times a second, and says at its end what is true then', async () => {
    const { host, panel } = await open(readExample('circles'));
    const frame = await host.until(() => true);
    await panel.page.clock.install({ time: 0 });
    await panel.page.clock.pauseAt(1000);
    const shown: string[] = [];
    // Fifty frames in a second.
    for (let i = 1; i <= 50; i++) {
      await panel.send({ type: 'frame', frame: { ...frame, sequence: 100 + i, status: i < 50 ? 'running' : 'paused', loss: i } });
      await panel.page.clock.runFor(20);
      shown.push(await panel.page.locator('.layers [data-loss]').innerText());
    }
    const changes = new Set(shown.slice(0, -1)).size;
    expect(changes).toBeGreaterThan(5);
    expect(changes).toBeLessThanOrEqual(11);
    await panel.page.clock.runFor(200);
    expect(await panel.page.locator('.layers [data-loss]').innerText()).toContain('50.00');
  });

  it('that diverged says where the first NaN or infinity arose, and leads to the step before', async () => {
    const { host, panel } = await open(diverging);
    await host.receive({ type: 'command', command: { type: 'run' } });
    const frame = await host.until(({ status }) => status === 'diverged');
    await panel.settled();
    const found = frame.nonFinite;
    expect(found).not.toBeNull();
    if (!found) return;
    const text = await panel.page.locator('.state').innerText();
    expect(text).toContain(`Step ${found.step} broke the run`);
    expect(text).toContain(`${found.where}, ${found.tensor}`);
    expect(text).toContain(found.remedy);
    expect(await panel.page.locator('[data-action="step"]').getAttribute('aria-disabled')).toBe('true');
    for (const view of views) {
      await panel.page.locator(`#tab-${view}`).click();
      await panel.settled();
    }
    await panel.page.getByRole('button', { name: 'Go to the step before' }).click();
    await host.until(({ position, status }) => position.step === found.step - 1 && status !== 'diverged' && status !== 'seeking');
    await panel.settled();
    expect(host.of('command').at(-1)?.command).toEqual({ type: 'seek', step: found.step - 1 });
    expect(await panel.page.locator('.state').getAttribute('class')).not.toContain('bad');
  });

  it('with NaN in it shows NaN as NaN, in rows, charts and tensors', async () => {
    const { host, panel } = await open(diverging, { kept: { view: 'tensors', layer: 0 } });
    await host.receive({ type: 'command', command: { type: 'step' } });
    const frame = await host.until((each) => each.position.step === 1 && tensorOf(each) !== null);
    const [{ question, position }] = frame.answers;
    const tensor = tensorOf(frame) as AnswerTo<'tensor'>;
    const cells = tensor.cells.slice();
    cells[0] = NaN;
    cells[1] = -Infinity;
    const activation = frame.layers[0].activation;
    const broken = {
      ...frame,
      loss: NaN,
      answers: [{ question, position, answer: { ...tensor, cells, min: NaN, max: NaN } }],
      layers: frame.layers.map((layer) => ({
        ...layer,
        activation: activation && { ...activation, mean: NaN, std: NaN, low: NaN, high: NaN },
        outputGradient: { norm: Infinity, mean: NaN, std: NaN, meanAbsolute: NaN, maxAbsolute: NaN },
      })),
    };
    await panel.send({ type: 'frame', frame: broken });
    await panel.settled();
    expect(await panel.page.locator('[data-layer="0"] [data-activation]').innerText()).toMatch(/NaN±NaN$/);
    expect(await panel.page.locator('[data-layer="0"] [data-gradient]').innerText()).toContain('∞');
    expect(await panel.page.locator('.layers [data-loss]').innerText()).toContain('NaN');
    await panel.page.locator('.map canvas').focus();
    expect(await panel.page.locator('.reading').innerText()).toContain('NaN');
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('.reading').innerText()).toContain('−∞');
    for (const view of views) {
      await panel.page.locator(`#tab-${view}`).click();
      await panel.settled();
    }
  });

  it('whose engine stopped can be restored or begun anew, where it can', async () => {
    const { host, panel } = await open(readExample('circles'));
    await panel.send({ type: 'state', state: { kind: 'stopped', reason: 'The engine ran out of memory.', restorable: true, step: 42 } });
    await panel.settled();
    expect(await panel.page.locator('.state').innerText()).toContain('The engine ran out of memory. The run can be restored to step 42');
    expect(await panel.page.locator('[data-action="step"]').getAttribute('aria-disabled')).toBe('true');
    await panel.page.getByRole('button', { name: 'Restore the run' }).click();
    await panel.page.getByRole('button', { name: 'Start over' }).click();
    expect(host.received.slice(-2)).toEqual([{ type: 'restore' }, { type: 'startOver' }]);
    await panel.send({ type: 'state', state: { kind: 'stopped', reason: 'It ended three times in a row.', restorable: false, step: 0 } });
    await panel.settled();
    expect(await panel.page.getByRole('button', { name: 'Restore the run' }).count()).toBe(0);
    expect(await panel.page.locator('.state').innerText()).toContain('cannot be restored');
  });

  it('goes on beside problems in the text, which open and close over it', async () => {
    const { host, panel } = await open(readExample('circles'));
    const top = (): Promise<number | undefined> => panel.page.locator('.body').evaluate((body) => body.getBoundingClientRect().top);
    const before = await top();
    await panel.send({ type: 'problems', problems });
    await panel.settled();
    const button = panel.page.locator('[data-action="problems"]');
    expect(await button.getAttribute('aria-label')).toBe('2 problems in the spec');
    await button.click();
    await panel.settled();
    expect(await panel.page.locator('.popover').innerText()).toContain('The run goes on with the text as it was when it was last good.');
    expect(await top()).toBe(before);
    await panel.page.locator('.popover').getByRole('button', { name: 'line 9, column 14' }).click();
    expect(host.of('reveal')).toEqual([{ type: 'reveal', problem: 0 }]);
    await panel.page.mouse.click(200, 600);
    await panel.settled();
    expect(await panel.page.locator('.popover').count()).toBe(0);
    await button.click();
    await panel.page.keyboard.press('Escape');
    await panel.settled();
    expect(await panel.page.locator('.popover').count()).toBe(0);
    expect(await panel.page.evaluate(() => document.activeElement?.getAttribute('data-action'))).toBe('problems');
    await panel.send({ type: 'problems', problems: [] });
    await panel.settled();
    expect(await button.count()).toBe(0);
  });
});

describe('notices', () => {
  it('lie over the panel, move nothing, and can be dismissed', async () => {
    const { panel } = await open(readExample('circles'));
    const places = (): Promise<string> =>
      panel.page.evaluate(() => JSON.stringify([...document.querySelectorAll('.transport, .state, .body, .time')].map((part) => part.getBoundingClientRect())));
    const before = await places();
    await panel.send({ type: 'notice', level: 'info', text: 'The spec changed: a new run began.' });
    await panel.send({ type: 'notice', level: 'error', text: 'Something else.' });
    await panel.settled();
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual(['The spec changed: a new run began.', 'Something else.']);
    expect(await panel.page.locator('.notices').getAttribute('aria-live')).toBe('polite');
    expect(await places()).toBe(before);
    await panel.page.getByRole('button', { name: 'Dismiss: Something else.' }).click();
    await panel.settled();
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual(['The spec changed: a new run began.']);
  });

  it('of news go by themselves, those of errors stay', async () => {
    const { panel } = await open(readExample('circles'));
    await panel.page.clock.install();
    await panel.send({ type: 'notice', level: 'info', text: 'News.' });
    await panel.send({ type: 'notice', level: 'error', text: 'An error.' });
    await panel.page.locator('.notice.error').waitFor();
    await panel.page.clock.fastForward(60_000);
    await panel.page.locator('.notice.info').waitFor({ state: 'detached' });
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual(['An error.']);
  });

  it('tell why a command was refused', async () => {
    const { host, panel } = await open(readExample('circles'));
    await host.receive({ type: 'command', command: { type: 'seek', step: 700 } });
    await panel.page.locator('.notice').waitFor();
    expect(await panel.page.locator('.notice').innerText()).toContain('Step 700 was not reached yet');
  });
});

describe('selection', () => {
  it('follows the cursor in the spec without answering it', async () => {
    const { host, panel } = await open(readExample('circles'));
    await panel.send({ type: 'select', layer: 2 });
    await panel.settled();
    expect(await panel.page.locator('[data-layer="2"]').getAttribute('aria-selected')).toBe('true');
    await panel.send({ type: 'select', layer: null });
    await panel.settled();
    expect(await panel.page.locator('[aria-selected="true"][role="option"]').count()).toBe(0);
    expect(host.of('select')).toEqual([]);
  });

  it('and view survive a reload; what the editor needs to bring the panel back is kept', async () => {
    const { panel } = await open(readExample('circles'), { kept: { view: 'tensors', layer: 2, tensor: 'parameter', parameter: 'bias', other: 'kept' } });
    expect(await panel.page.locator('[role="tab"][aria-selected="true"]').innerText()).toBe('Tensors');
    expect(await panel.page.locator('[data-layer="2"]').getAttribute('aria-selected')).toBe('true');
    expect(opened[0].host.of('need').at(-1)?.questions).toEqual([[{ about: 'tensor', layer: 2, kind: 'parameter', parameter: 'bias' }]]);
    await panel.page.locator('#tab-learn').click();
    expect(await panel.state()).toMatchObject({
      uri: 'file:///examples/circles.nabla.json', view: 'learn', layer: 2, tensor: 'parameter', parameter: 'bias', other: 'kept',
    });
  });

  it('that a new run no longer has is dropped', async () => {
    const { panel } = await open(deep, { kept: { layer: 15 } });
    expect(await panel.page.locator('[data-layer="15"]').getAttribute('aria-selected')).toBe('true');
    const smaller = new FakeHost(readExample('circles'));
    await smaller.until(() => true);
    await panel.send({ type: 'snapshot', snapshot: smaller.snapshot() });
    await panel.settled();
    expect(await panel.page.locator('[role="option"]').count()).toBe(3);
    expect(await panel.page.locator('[aria-selected="true"][role="option"]').count()).toBe(0);
    await smaller.dispose();
  });
});

describe('names', () => {
  it('are text, whatever they look like', async () => {
    const { host, panel } = await open(hostile);
    await host.receive({ type: 'command', command: { type: 'step' } });
    await host.until(({ position }) => position.step === 1);
    await panel.page.locator('[data-layer="0"]').click();
    for (const view of views) {
      await panel.page.locator(`#tab-${view}`).click();
      await panel.settled();
    }
    await panel.page.locator('[data-action="check"]').click();
    await panel.page.locator('.verdict').waitFor();
    await panel.send({ type: 'notice', level: 'error', text: hostileName });
    await panel.send({ type: 'problems', problems: [{ ...problems[0], message: hostileName }] });
    await panel.page.locator('[data-action="problems"]').click();
    await panel.settled();
    expect(await panel.page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(await panel.page.locator('#panel img, #panel script').count()).toBe(0);
    expect(await panel.page.locator('[data-layer="0"] .name').innerText()).toContain(hostileName);
    expect(await panel.page.locator('.notice p').innerText()).toBe(hostileName);
    // However long, they widen nothing.
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1000);
  });
});

describe('large tensors', () => {
  it('are shown reduced, and that is said', async () => {
    const { host, panel } = await open(wide, { kept: { view: 'tensors', layer: 0 } });
    await host.receive({ type: 'command', command: { type: 'step' } });
    const frame = await host.until((each) => tensorOf(each) !== null);
    await panel.settled();
    const { rowStride, columnStride, cells, columns } = tensorOf(frame) ?? { rowStride: 0, columnStride: 0, cells: [], columns: 0 };
    expect(columnStride).toBeGreaterThan(1);
    expect(await panel.page.locator('.view').innerText()).toContain(`a cell stands for ${rowStride} × ${columnStride} values`);
    await panel.page.locator('.map canvas').focus();
    await panel.page.keyboard.press('ArrowDown');
    expect(await panel.page.locator('.reading').innerText()).toContain(`rows ${rowStride} to ${2 * rowStride - 1}, columns 0 to ${columnStride - 1}`);
    expect(await panel.page.locator('.reading [data-value]').getAttribute('data-value')).toBe(String(cells[columns]));
  });
});
