// Presentation mode and lectures in the panel: keys, terms, the picture, what is remembered, and every theme and width.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PanelLecture } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { findClippedText, tabStops } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage, themeNames } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;

async function begin(storedState: Record<string, unknown> = { view: 'network', presenting: true }): Promise<void> {
  host = new FakeHost(readExample('one-neuron'));
  panel = await openPanel(browser, host, { storedState });
}
async function end(): Promise<void> {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
}
beforeEach(() => begin());
afterEach(end);

const at = (step: number, phase: number) =>
  host.waitForFrame(({ position, target }) => position.step === step && position.phase === phase && target === null);
const press = async (key: string): Promise<void> => {
  await panel.page.keyboard.press(key);
  await panel.waitUntilDrawn();
};
/** Goes to a phase of the first step. */
const goTo = async (phase: number): Promise<void> => {
  await host.requests.command({ type: 'seek', step: 0, phase, train: true });
  await at(0, phase);
  await panel.waitUntilDrawn();
};
const lectureWith = (html: string, goingTo: number | null = null): PanelLecture => ({
  recording: null,
  playing: {
    file: 'one-neuron.lecture.json',
    title: 'One neuron',
    visit: 1,
    stop: {
      index: 0,
      count: 3,
      title: '',
      html,
      position: { step: 0, phase: 2 },
      selection: { view: 'step', layer: 1, sample: 0, highlight: 'linear1.bias' },
      goingTo,
    },
  },
});

describe('presentation mode', () => {
  it.each([
    ['ArrowRight', 'ArrowLeft'],
    ['PageDown', 'PageUp'],
    [' ', 'ArrowLeft'],
  ])('goes on by %j and back by %j, a phase for each key', async (next, back) => {
    await press(next);
    await at(0, 1);
    await press(next);
    await at(0, 2);
    await press(back);
    await at(0, 1);
    // The debugger's keys still work.
    await press('F10');
    await at(1, 0);
  });

  it('shows one view without controls, is remembered, and ends with Escape', async () => {
    const { page } = panel;
    for (const part of ['.transport', '.state', '.navigation', '.layers', '.time'])
      expect(await page.locator(part).isVisible()).toBe(false);
    expect(await panel.storedState()).toMatchObject({ presenting: true });
    await press('Escape');
    expect(await page.locator('.transport').isVisible()).toBe(true);
    expect(await panel.storedState()).toMatchObject({ presenting: false });
    // Without it, the keys mean nothing.
    await press('ArrowRight');
    expect(host.frame?.position).toEqual({ step: 0, phase: 0 });
  });

  it('is under "…"', async () => {
    const { page } = panel;
    await press('Escape');
    await page.locator('[data-action="more"]').click();
    await page.locator('#more [data-action="present"]').click();
    await page.locator('#panel.presenting').waitFor();
  });

  it('moves the highlight through the terms, in list, formula and spec', async () => {
    const { page } = panel;
    await goTo(2);
    const marked = (selector: string): Promise<string[]> => page.locator(`${selector}.laser`).allTextContents();
    expect(await page.locator('.term[aria-pressed="true"] b').allInnerTexts()).toEqual(['output of linear1']);
    expect(await marked('.rule mtext')).toEqual(['linear1']);
    await expect.poll(() => host.callsTo('highlight').at(-1)).toEqual(['linear1.output']);
    await press('ArrowUp');
    expect(await page.locator('.term[aria-pressed="true"] b').allInnerTexts()).toEqual(['linear1.bias']);
    expect(await marked('.rule mtext')).toEqual(['bias']);
    await expect.poll(() => host.callsTo('highlight').at(-1)).toEqual(['linear1.bias']);
    for (let i = 0; i < 2; i++) await press('ArrowUp');
    expect(await marked('.datum')).toHaveLength(1);
    expect(await page.locator('.datum.laser').getAttribute('data-of')).toBe('input');
    // The next phase has its own term.
    await press('ArrowRight');
    await at(0, 3);
    await panel.waitUntilDrawn();
    await expect.poll(() => host.callsTo('highlight').at(-1)).toEqual(['tanh1.output']);
    await press('Escape');
    await expect.poll(() => host.callsTo('highlight').at(-1)).toEqual([null]);
  });

  it('marks a gradient where it stands, not its parts', async () => {
    const { page } = panel;
    await goTo(7);
    expect(await page.locator('.term[aria-pressed="true"] b').allInnerTexts()).toEqual(['dL/d linear1.weight']);
    expect(await page.locator('.rule mfrac.laser').count()).toBe(1);
    expect(await page.locator('.rule mtext.laser').count()).toBe(0);
  });

  it('moves once, and rests under reduced motion', async () => {
    const { page } = panel;
    const canvas = page.locator('.stage-map canvas');
    const pixels = (): Promise<string> => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
    /** How often the picture has begun to move. */
    const moves = (): Promise<number> => page.evaluate(() => Number(document.body.dataset.moves));
    await goTo(1);
    await canvas.evaluate((element: HTMLCanvasElement) => {
      document.body.dataset.moves = '0';
      new MutationObserver((changes) => {
        const begun = changes.filter(({ oldValue }) => oldValue === null).length;
        document.body.dataset.moves = String(Number(document.body.dataset.moves) + begun);
      }).observe(element, { attributeFilter: ['data-moving'], attributeOldValue: true });
    });
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await press('ArrowRight');
    await at(0, 2);
    await panel.waitUntilDrawn();
    const resting = await pixels();
    await press('ArrowLeft');
    await at(0, 1);
    await panel.waitUntilDrawn();
    expect(await moves()).toBe(0);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await press('ArrowRight');
    await at(0, 2);
    await expect.poll(moves).toBe(1);
    await page.locator('.stage-map canvas:not([data-moving])').waitFor();
    expect(await pixels()).toBe(resting);
  });
});

describe('a lecture', () => {
  it('shows its text and what the stop selects, and asks for the next stop', async () => {
    const { page } = panel;
    await goTo(2);
    await panel.send({ type: 'lecture', lecture: lectureWith('<p>A <em>sum</em>.</p>') });
    await page.locator('.spoken em').waitFor();
    await panel.waitUntilDrawn();
    expect(await page.locator('.spoken').innerText()).toContain('A sum.');
    expect(await panel.storedState()).toMatchObject({ view: 'step', layer: 1, sample: 0, lectureVisit: 1 });
    expect(await page.locator('.term[aria-pressed="true"] b').allInnerTexts()).toEqual(['linear1.bias']);
    for (const [key, action] of [
      ['PageDown', 'next'],
      ['PageUp', 'back'],
      ['End', 'last'],
      ['Home', 'first'],
    ]) {
      await press(key);
      await expect.poll(() => host.callsTo('lecture').at(-1)).toEqual([action]);
    }
    // The host moves the run.
    expect(host.frame?.position).toEqual({ step: 0, phase: 2 });
  });

  it('shows no text of a stop that is not reached yet', async () => {
    await panel.send({ type: 'lecture', lecture: lectureWith('<p>There.</p>', 500) });
    await panel.page.locator('.spoken', { hasText: 'Going to step 500' }).waitFor();
    expect(await panel.page.locator('.spoken').innerText()).not.toContain('There.');
  });

  it('is recorded with a bar above the view', async () => {
    const { page } = panel;
    await press('Escape');
    await panel.send({
      type: 'lecture',
      lecture: { recording: { file: 'one-neuron.lecture.json', stops: 2 }, playing: null },
    });
    await page.locator('.recording').waitFor();
    expect(await page.locator('.recording').innerText()).toContain('2 stops');
    await page.locator('[data-action="addStop"]').click();
    await expect.poll(() => host.callsTo('lecture').at(-1)).toEqual(['addStop']);
    expect(await axeViolations(page)).toEqual([]);
  });
});

describe('the stage', () => {
  it.each(themeNames)('is accessible in the theme %s, at every width', async (theme) => {
    const { page } = panel;
    await panel.setTheme(theme);
    await goTo(7);
    await panel.send({
      type: 'lecture',
      lecture: { ...lectureWith('<p>A <a href="https://example.org">link</a>.</p>') },
    });
    await page.locator('.spoken a').waitFor();
    for (const width of [1200, 570, 320]) {
      await page.setViewportSize({ width, height: 700 });
      await panel.waitUntilDrawn();
      expect(await findClippedText(page)).toEqual([]);
      expect(await axeViolations(page)).toEqual([]);
    }
    expect((await tabStops(page)).size).toBeGreaterThan(5);
  });
});
