// Every state has a plain sentence and a next action; errors are shown where the user can see them.
import { afterEach, describe, expect, it } from 'vitest';
import type { QueryValue, PanelProblem } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { tensorOf } from './harness/answers';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PageOptions, type PanelPage } from './harness/page';
import { deep, diverging, hostile, hostileName, long, wide } from './harness/specs';

const browser = useBrowser();
const opened: { host: FakeHost; panel: PanelPage }[] = [];
afterEach(async () => {
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
  {
    severity: 'warning',
    message: 'A softmax in front of a loss that applies it again.',
    remedy: 'Leave out the softmax.',
    line: 12,
    column: 5,
  },
];

describe('without a run', () => {
  it('shows what is loading', async () => {
    const { panel } = await open(null);
    expect(await panel.page.locator('.page').getAttribute('data-state')).toBe('loading');
    expect(await panel.page.locator('.page').innerText()).toContain('Reading the spec');
    expect(await panel.page.locator('.body').isVisible()).toBe(false);
    await panel.page.keyboard.press('F10');
    expect(opened[0].host.callsTo('command')).toEqual([]);
  });

  it('lists problems with their remedies, and each leads to its position', async () => {
    const { host, panel } = await open(null);
    await panel.send({ type: 'problems', problems });
    await panel.send({ type: 'state', state: { kind: 'problems' } });
    await panel.waitUntilDrawn();
    const text = await panel.page.locator('.page').innerText();
    for (const { message, remedy } of problems) {
      expect(text).toContain(message);
      expect(text).toContain(remedy);
    }
    await panel.page.getByRole('button', { name: 'line 12, column 5' }).click();
    expect(host.callsTo('revealProblem')).toEqual([[1]]);
  });

  it('is replaced by the first run', async () => {
    const { panel } = await open(null);
    const run = new FakeHost(readExample('circles'));
    await run.waitForFrame(() => true);
    await panel.send({ type: 'snapshot', snapshot: run.snapshot() });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.page').count()).toBe(0);
    expect(await panel.page.locator('.layers').innerText()).toContain('hidden');
    await run.dispose();
  });
});

describe('before the first measurement', () => {
  it('every view says so, with the key to press', async () => {
    const { panel } = await open(readExample('circles'));
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('ready');
    for (const view of views) {
      await clickTab(panel.page, view);
      await panel.waitUntilDrawn();
      expect((await panel.page.locator('.view').innerText()).length).toBeGreaterThan(20);
    }
    expect(await panel.page.locator('.view').innerText()).toContain('Press Step (F10)');
  });

  it('a run without a single frame is shown', async () => {
    const { panel } = await open(null);
    const run = new FakeHost(readExample('circles'));
    await panel.send({ type: 'snapshot', snapshot: { ...run.snapshot(), frame: null, history: {} } });
    for (const view of views) {
      await clickTab(panel.page, view);
      await panel.waitUntilDrawn();
      expect(await panel.page.locator('.view').count()).toBe(1);
    }
    expect(await panel.page.locator('.layers').innerText()).toContain('hidden');
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('starting');
    await run.dispose();
  });
});

describe('a run', () => {
  it('shows that it trains, how fast, and until when', async () => {
    const { host, panel } = await open(long(readExample('circles')));
    await panel.page.locator('[data-action="toggleRun"]').click();
    await host.waitForFrame(({ stepsPerSecond }) => stepsPerSecond !== null);
    await panel.page.locator('.phase', { hasText: /steps\/s$/ }).waitFor();
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('running');
    await panel.page.keyboard.press('F5');
    const frame = await host.waitForFrame(({ status }) => status === 'paused');
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#step').inputValue()).toBe(String(frame.position.step));
  });

  it('changes its text at most ten times per second, and is correct at the end', async () => {
    const { host, panel } = await open(readExample('circles'));
    const frame = await host.waitForFrame(() => true);
    await panel.page.clock.install({ time: 0 });
    // Later than everything that was drawn before, however long the page took to open.
    await panel.page.clock.pauseAt(3_600_000);
    const loss = panel.page.locator('.layers [data-loss]');
    const before = await loss.innerText();
    const shown: string[] = [];
    let elapsed = 0;
    for (let i = 1; i <= 50; i++) {
      // Resolves once the frame is drawn, which the page's clock must reach first.
      let isDrawn = false;
      void panel
        .send({
          type: 'frame',
          frame: { ...frame, sequence: 100 + i, status: i < 50 ? 'running' : 'paused', loss: i },
        })
        .then(() => (isDrawn = true));
      do {
        await panel.page.clock.runFor(20);
        elapsed += 20;
        shown.push(await loss.innerText());
      } while (!isDrawn && i < 50);
    }
    // A frame that has not arrived leaves the text as it was.
    const changes = new Set(shown.slice(0, -1).filter((each) => each !== before)).size;
    expect(changes).toBeGreaterThan(5);
    expect(changes).toBeLessThanOrEqual(1 + elapsed / 100);
    const text = async (): Promise<string> => {
      await panel.page.clock.runFor(200);
      return loss.innerText();
    };
    await expect.poll(text).toContain('50.00');
  });

  it('that diverged says where the first NaN or infinity occurred, and leads to the step before', async () => {
    const { host, panel } = await open(diverging);
    await host.requests.command({ type: 'run' });
    const frame = await host.waitForFrame(({ status }) => status === 'diverged');
    await panel.waitUntilDrawn();
    const found = frame.nonFinite;
    expect(found).not.toBeNull();
    if (!found) return;
    const text = await panel.page.locator('.state').innerText();
    expect(text).toContain(`step ${found.step}`);
    expect(text).toContain(`${found.where}, ${found.tensor}`);
    expect(text).toContain(found.remedy);
    expect(await panel.page.locator('[data-action="step"]').getAttribute('aria-disabled')).toBe('true');
    for (const view of views) {
      await clickTab(panel.page, view);
      await panel.waitUntilDrawn();
    }
    await panel.page.getByRole('button', { name: 'Go to the step before' }).click();
    await host.waitForFrame(
      ({ position, status }) => position.step === found.step - 1 && status !== 'diverged' && status !== 'seeking',
    );
    await panel.waitUntilDrawn();
    expect(host.callsTo('command').at(-1)?.[0]).toEqual({ type: 'seek', step: found.step - 1 });
    expect(await panel.page.locator('.state').getAttribute('class')).not.toContain('bad');
  });

  it('with NaN shows NaN in rows, charts and tensors', async () => {
    const { host, panel } = await open(diverging, { storedState: { view: 'tensors', layer: 0 } });
    await host.requests.command({ type: 'step' });
    const frame = await host.waitForFrame((each) => each.position.step === 1 && tensorOf(each) !== null);
    const [{ query, position }] = frame.queryResults;
    const tensor = tensorOf(frame) as QueryValue<'tensor'>;
    const cells = tensor.cells.slice();
    cells[0] = NaN;
    cells[1] = -Infinity;
    const activation = frame.layers[0].activation;
    const broken = {
      ...frame,
      loss: NaN,
      queryResults: [{ query, position, value: { ...tensor, cells, min: NaN, max: NaN } }],
      layers: frame.layers.map((layer) => ({
        ...layer,
        activation: activation && { ...activation, mean: NaN, std: NaN, low: NaN, high: NaN },
        outputGradient: { norm: Infinity, mean: NaN, std: NaN, meanAbsolute: NaN, maxAbsolute: NaN },
      })),
    };
    await panel.send({ type: 'frame', frame: broken });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('[data-layer="0"] [data-activation]').innerText()).toMatch(/NaN±NaN$/);
    expect(await panel.page.locator('[data-layer="0"] [data-gradient]').innerText()).toContain('∞');
    expect(await panel.page.locator('.layers [data-loss]').innerText()).toContain('NaN');
    await panel.page.locator('.map canvas').focus();
    expect(await panel.page.locator('.reading').innerText()).toContain('NaN');
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('.reading').innerText()).toContain('−∞');
    for (const view of views) {
      await clickTab(panel.page, view);
      await panel.waitUntilDrawn();
    }
  });

  it('whose engine ended can be restored, or started over', async () => {
    const { host, panel } = await open(readExample('circles'));
    await panel.send({
      type: 'state',
      state: { kind: 'stopped', reason: 'The engine ran out of memory.', restorable: true, step: 42 },
    });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.state').getAttribute('data-state')).toBe('stopped');
    const sentence = await panel.page.locator('.state').innerText();
    for (const part of ['The engine ran out of memory.', 'step 42']) expect(sentence).toContain(part);
    expect(await panel.page.locator('[data-action="step"]').getAttribute('aria-disabled')).toBe('true');
    await panel.page.getByRole('button', { name: 'Restore the run' }).click();
    await panel.page.getByRole('button', { name: 'Start over' }).click();
    expect(host.received.slice(-2).map(({ name }) => name)).toEqual(['restore', 'startOver']);
    await panel.send({
      type: 'state',
      state: { kind: 'stopped', reason: 'It ended three times in a row.', restorable: false, step: 0 },
    });
    await panel.waitUntilDrawn();
    expect(await panel.page.getByRole('button', { name: 'Restore the run' }).count()).toBe(0);
    expect(await panel.page.locator('.state').innerText()).toContain('cannot be restored');
  });

  it('continues regardless of problems in the text, which open and close on top of it', async () => {
    const { host, panel } = await open(readExample('circles'));
    const top = (): Promise<number | undefined> =>
      panel.page.locator('.body').evaluate((body) => body.getBoundingClientRect().top);
    const before = await top();
    await panel.send({ type: 'problems', problems });
    await panel.waitUntilDrawn();
    const button = panel.page.locator('[data-action="problems"]');
    expect(await button.getAttribute('aria-label')).toBe('2 problems in the spec');
    await button.click();
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#problems').innerText()).toContain('last valid text');
    expect(await top()).toBe(before);
    await panel.page.locator('#problems').getByRole('button', { name: 'line 9, column 14' }).click();
    expect(host.callsTo('revealProblem')).toEqual([[0]]);
    await panel.page.mouse.click(200, 600);
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#problems').count()).toBe(0);
    await button.click();
    await panel.page.keyboard.press('Escape');
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('#problems').count()).toBe(0);
    expect(await panel.page.evaluate(() => document.activeElement?.getAttribute('data-action'))).toBe('problems');
    await panel.send({ type: 'problems', problems: [] });
    await panel.waitUntilDrawn();
    expect(await button.count()).toBe(0);
  });
});

describe('notices', () => {
  it('overlay the panel, move nothing, and can be dismissed', async () => {
    const { panel } = await open(readExample('circles'));
    const places = (): Promise<string> =>
      panel.page.evaluate(() =>
        JSON.stringify(
          [...document.querySelectorAll('.transport, .state, .body, .time')].map((part) =>
            part.getBoundingClientRect(),
          ),
        ),
      );
    const before = await places();
    await panel.send({ type: 'notice', level: 'info', text: 'The spec changed: a new run began.' });
    await panel.send({ type: 'notice', level: 'error', text: 'Something else.' });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual([
      'The spec changed: a new run began.',
      'Something else.',
    ]);
    expect(await panel.page.locator('.notices').getAttribute('aria-live')).toBe('polite');
    expect(await places()).toBe(before);
    await panel.page.getByRole('button', { name: 'Dismiss: Something else.' }).click();
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual(['The spec changed: a new run began.']);
  });

  it('with information disappear, those with errors stay', async () => {
    const { panel } = await open(readExample('circles'));
    await panel.page.clock.install();
    await panel.send({ type: 'notice', level: 'info', text: 'News.' });
    await panel.send({ type: 'notice', level: 'error', text: 'An error.' });
    await panel.page.locator('.notice.error').waitFor();
    await panel.page.clock.fastForward(60_000);
    await panel.page.locator('.notice.info').waitFor({ state: 'detached' });
    expect(await panel.page.locator('.notice p').allInnerTexts()).toEqual(['An error.']);
  });

  it('say why a command was rejected', async () => {
    const { host, panel } = await open(readExample('circles'));
    await host.requests.command({ type: 'seek', step: 700 });
    await panel.page.locator('.notice').waitFor();
    expect(await panel.page.locator('.notice').innerText()).toContain('Step 700');
  });
});

describe('selection', () => {
  it('follows the cursor in the spec without moving it', async () => {
    const { host, panel } = await open(readExample('circles'));
    await panel.send({ type: 'select', layer: 2 });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('[data-layer="2"]').getAttribute('aria-selected')).toBe('true');
    await panel.send({ type: 'select', layer: null });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('[aria-selected="true"][role="option"]').count()).toBe(0);
    expect(host.callsTo('selectLayer')).toEqual([]);
  });

  it('survives a reload together with the view and what VS Code needs to restore the panel', async () => {
    const { panel } = await open(readExample('circles'), {
      storedState: { view: 'tensors', layer: 2, tensor: 'parameter', parameter: 'bias', other: 'kept' },
    });
    expect(await panel.page.locator('[role="tab"][aria-selected="true"]').innerText()).toBe('Tensors');
    expect(await panel.page.locator('[data-layer="2"]').getAttribute('aria-selected')).toBe('true');
    expect(opened[0].host.callsTo('subscribe').at(-1)?.[1]).toEqual([
      [{ type: 'tensor', layer: 2, kind: 'parameter', parameter: 'bias' }],
    ]);
    await clickTab(panel.page, 'learn');
    expect(await panel.storedState()).toMatchObject({
      uri: 'file:///examples/circles.nabla.json',
      view: 'learn',
      layer: 2,
      tensor: 'parameter',
      parameter: 'bias',
      other: 'kept',
    });
  });

  it('is cleared if a new run lacks the layer', async () => {
    const { panel } = await open(deep, { storedState: { layer: 15 } });
    expect(await panel.page.locator('[data-layer="15"]').getAttribute('aria-selected')).toBe('true');
    const smaller = new FakeHost(readExample('circles'));
    await smaller.waitForFrame(() => true);
    await panel.send({ type: 'snapshot', snapshot: smaller.snapshot() });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('[role="option"]').count()).toBe(3);
    expect(await panel.page.locator('[aria-selected="true"][role="option"]').count()).toBe(0);
    await smaller.dispose();
  });
});

describe('names', () => {
  it('are plain text, whatever they contain', async () => {
    const { host, panel } = await open(hostile);
    await host.requests.command({ type: 'step' });
    await host.waitForFrame(({ position }) => position.step === 1);
    await panel.page.locator('[data-layer="0"]').click();
    for (const view of views) {
      await clickTab(panel.page, view);
      await panel.waitUntilDrawn();
    }
    await panel.page.locator('[data-action="check"]').click();
    await panel.page.locator('.verdict').waitFor();
    await panel.send({ type: 'notice', level: 'error', text: hostileName });
    await panel.send({ type: 'problems', problems: [{ ...problems[0], message: hostileName }] });
    await panel.page.locator('[data-action="problems"]').click();
    await panel.waitUntilDrawn();
    expect(await panel.page.evaluate(() => (window as unknown as { broken?: number }).broken)).toBeUndefined();
    expect(await panel.page.locator('#panel img, #panel script').count()).toBe(0);
    expect(await panel.page.locator('[data-layer="0"] .name').innerText()).toContain(hostileName);
    expect(await panel.page.locator('.notice p').innerText()).toBe(hostileName);
    // Long names do not widen the page.
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1000);
  });
});

describe('large tensors', () => {
  it('are reduced, and the view says so', async () => {
    const { host, panel } = await open(wide, { storedState: { view: 'tensors', layer: 0 } });
    await host.requests.command({ type: 'step' });
    const frame = await host.waitForFrame((each) => tensorOf(each) !== null);
    await panel.waitUntilDrawn();
    const { rowStride, columnStride, cells, columns } = tensorOf(frame) ?? {
      rowStride: 0,
      columnStride: 0,
      cells: [],
      columns: 0,
    };
    expect(columnStride).toBeGreaterThan(1);
    expect(await panel.page.locator('.view').innerText()).toContain(
      `a cell stands for ${rowStride} × ${columnStride} values`,
    );
    await panel.page.locator('.map canvas').focus();
    await panel.page.keyboard.press('ArrowDown');
    expect(await panel.page.locator('.reading').innerText()).toContain(
      `rows ${rowStride} to ${2 * rowStride - 1}, columns 0 to ${columnStride - 1}`,
    );
    expect(await panel.page.locator('.reading [data-value]').getAttribute('data-value')).toBe(String(cells[columns]));
  });
});
