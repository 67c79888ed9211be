// Appearance: no accessibility violation in any theme, view and state; colors follow the theme at once; nothing is cut
// off from 1000 pixels to 320. Saves screenshots in test/screenshots for visual inspection.
import { describe, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab, findClippedText, viewsOf } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage, type ThemeName, themeNames } from './harness/page';
import { deep, diverging } from './harness/specs';

const browser = useBrowser();
/** A run of the circles example with some history, in the middle of a step's backward pass. */
async function trained(options: {
  width: number;
  theme: ThemeName;
  height?: number;
}): Promise<{ host: FakeHost; panel: PanelPage }> {
  const host = new FakeHost(readExample('circles'));
  for (let step = 4; step <= 240; step += 4) {
    await host.runner.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  for (let phase = 1; phase <= 8; phase++) await host.runner.command({ type: 'stepPhase' });
  await host.waitForFrame(({ position }) => position.phase === 8);
  return { host, panel: await openPanel(browser, host, options) };
}

async function close({ host, panel }: { host: FakeHost; panel: PanelPage }): Promise<void> {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
}

describe.each(themeNames)('in %s', (theme) => {
  it.each([1000, 570, 320])('every view fits at %s pixels, with nothing cut off', async (width) => {
    const run = await trained({ width, theme });
    const { page } = run.panel;
    await run.panel.screenshot(`panel-${theme}-${width}-learn`);
    await page.locator('[data-layer="0"]').click();
    for (const view of await viewsOf(page)) {
      await clickTab(page, view);
      if (view === 'check') {
        await page.locator('[data-action="check"]').click();
        await page.locator('.verdict').waitFor();
      }
      if (view === 'tensors') await page.locator('.map canvas[aria-roledescription="heat map"]').focus();
      await run.panel.waitUntilDrawn();
      expect(await findClippedText(page)).toEqual([]);
      if (view !== 'learn') await run.panel.screenshot(`panel-${theme}-${width}-${view}`);
    }
    if (width === 320) {
      await page.locator('.layers .end').last().scrollIntoViewIfNeeded();
      await run.panel.screenshot(`panel-${theme}-320-layers`);
    }
    await close(run);
  });

  it('the accessibility checker finds nothing in a run', async () => {
    const run = await trained({ width: 1000, theme });
    const { page } = run.panel;
    for (const view of await viewsOf(page)) {
      await clickTab(page, view);
      if (view === 'check') {
        await page.locator('[data-action="check"]').click();
        await page.locator('.verdict').waitFor();
      }
      await run.panel.waitUntilDrawn();
      for (const table of await page.locator('.view summary').all()) await table.click();
      await run.panel.waitUntilDrawn();
      expect(await axeViolations(page)).toEqual([]);
    }
    await close(run);
  });

  it('the accessibility checker finds nothing at 320 pixels, nor with several views open', async () => {
    const run = await trained({ width: 320, theme });
    const { page } = run.panel;
    const views = await viewsOf(page);
    for (const view of views) {
      await clickTab(page, view);
      await run.panel.waitUntilDrawn();
      expect(await axeViolations(page)).toEqual([]);
    }
    await close(run);
    const host = new FakeHost(readExample('circles'));
    await host.runner.command({ type: 'runToStep', step: 40 });
    await host.waitForFrame(({ position, target }) => position.step === 40 && target === null);
    const panel = await openPanel(browser, host, { width: 1400, theme, storedState: { multiView: true, open: views } });
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.tiles .view').count()).toBe(views.length);
    expect(await axeViolations(panel.page)).toEqual([]);
    await panel.screenshot(`panel-${theme}-several`);
    await close({ host, panel });
  });

  it('the accessibility checker finds nothing in the other states', async () => {
    const host = new FakeHost(diverging);
    const panel = await openPanel(browser, host, { theme });
    await host.requests.command({ type: 'run' });
    await host.waitForFrame(({ status }) => status === 'diverged');
    await panel.screenshot(`panel-${theme}-diverged`);
    expect(await axeViolations(panel.page)).toEqual([]);
    const problems = [
      {
        severity: 'error',
        message: 'There is no layer "lineer".',
        remedy: 'Did you mean "linear"?',
        line: 9,
        column: 14,
      },
      { severity: 'warning', message: 'The learning rate is large.', remedy: 'Try 0.1.', line: 12, column: 5 },
    ] as const;
    await panel.send({ type: 'problems', problems });
    await panel.send({ type: 'notice', level: 'info', text: 'The spec changed: a new run began.' });
    await panel.send({
      type: 'notice',
      level: 'error',
      text: 'This run ends at step 400; raise "epochs" in the spec to go further.',
    });
    await clickTab(panel.page, 'check');
    await panel.page.locator('[data-action="problems"]').click();
    await panel.send({
      type: 'checking',
      progress: { checked: 7, entries: 25, counts: { pass: 6, wrong: 1, kink: 0, below_noise: 0 }, diagnosing: false },
    });
    await panel.screenshot(`panel-${theme}-problems`);
    expect(await axeViolations(panel.page)).toEqual([]);
    await panel.send({
      type: 'state',
      state: { kind: 'stopped', reason: 'The engine ran out of memory.', restorable: true, step: 38 },
    });
    await panel.page.keyboard.press('Escape');
    await panel.screenshot(`panel-${theme}-stopped`);
    expect(await axeViolations(panel.page)).toEqual([]);
    for (const state of [{ kind: 'problems' }, { kind: 'loading', text: 'Reading data/marbles.csv …' }] as const) {
      await panel.send({ type: 'state', state });
      await panel.screenshot(`panel-${theme}-${state.kind === 'problems' ? 'page' : 'loading'}`);
      expect(await axeViolations(panel.page)).toEqual([]);
    }
    await close({ host, panel });
  });
});

describe('a deep network', () => {
  it('is shown completely: its vanishing gradients form a staircase', async () => {
    const host = new FakeHost(deep);
    const panel = await openPanel(browser, host, { theme: 'light', storedState: { view: 'gradients', layer: 4 } });
    await host.requests.command({ type: 'runToStep', step: 60 });
    await host.waitForFrame(({ position, target }) => position.step === 60 && target === null);
    await panel.screenshot('panel-light-deep');
    const widths = await panel.page
      .locator('.bar i')
      .evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
    expect(widths.length).toBe(19);
    const linear = widths.filter((_, i) => i % 2 === 0);
    for (let i = 1; i < linear.length; i++) expect(linear[i]).toBeGreaterThan(linear[i - 1]);
    expect(await findClippedText(panel.page)).toEqual([]);
    await close({ host, panel });
  });
});

describe('a change of theme', () => {
  /** The share of a canvas with nearly this color. */
  const share = (panel: PanelPage, selector: string, color: string): Promise<number> =>
    panel.page
      .locator(selector)
      .first()
      .evaluate((canvas, wanted) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const pixels =
          (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ??
          new Uint8ClampedArray();
        const [r, g, b] = [1, 3, 5].map((i) => parseInt(wanted.slice(i, i + 2), 16));
        let count = 0;
        for (let i = 0; i < pixels.length; i += 4) {
          if (
            pixels[i + 3] > 200 &&
            Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) < 24
          )
            count++;
        }
        return count / (width * height);
      }, color);

  it('recolors canvases without a reload', async () => {
    const run = await trained({ width: 1000, theme: 'dark' });
    const [darkBlue, lightBlue] = ['#59a4f9', '#0063d3'];
    for (const canvas of ['.plot canvas', '.histogram', '.strip canvas']) {
      expect(await share(run.panel, canvas, darkBlue)).toBeGreaterThan(0.001);
      expect(await share(run.panel, canvas, lightBlue)).toBeLessThan(0.0005);
    }
    await run.panel.setTheme('light');
    for (const canvas of ['.plot canvas', '.histogram', '.strip canvas']) {
      expect(await share(run.panel, canvas, lightBlue)).toBeGreaterThan(0.001);
      expect(await share(run.panel, canvas, darkBlue)).toBeLessThan(0.0005);
    }
    const forward = await run.panel.page.evaluate(() => document.body.style.getPropertyValue('--nabla-forward'));
    expect(forward).toBe('rgba(191, 136, 3, 1)');
    await close(run);
  });
});

it('causes no motion if reduced motion is requested', async () => {
  const host = new FakeHost(null);
  const panel = await openPanel(browser, host);
  const moving = (): Promise<number> => panel.page.evaluate(() => document.getAnimations().length);
  expect(await moving()).toBeGreaterThan(0);
  await panel.page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await moving()).toBe(0);
  await close({ host, panel });
});
