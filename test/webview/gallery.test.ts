// Every view with all sorts of runs: images, a single input, many layers, wide ones, long names, NaN, not started,
// finished. Saves screenshots in test/screenshots for visual inspection.
import { describe, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { findClippedText, forEachView } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type ThemeName } from './harness/page';
import { deepest, diverging, images, longNames, widest } from './harness/specs';

const browser = useBrowser();
interface Exhibit {
  readonly text: string;
  readonly theme: ThemeName;
  /** Steps to train; Infinity for the whole run. */
  readonly steps: number;
  readonly layer?: number;
  /** Whether to run the accessibility checker, which takes half a minute for a large one. */
  readonly checked?: boolean;
}

const exhibits: Readonly<Record<string, Exhibit>> = {
  images: { text: images, theme: 'light', steps: 6 },
  'one-input': { text: readExample('noisy-sine'), theme: 'dark', steps: 200 },
  deep: { text: deepest, theme: 'hc', steps: 30, layer: 20 },
  wide: { text: widest, theme: 'light', steps: 12 },
  names: { text: longNames, theme: 'dark', steps: 20, layer: 2, checked: true },
  nan: { text: diverging, theme: 'light', steps: Infinity },
  new: { text: readExample('circles'), theme: 'hc-light', steps: 0 },
  finished: { text: readExample('xor'), theme: 'light', steps: Infinity },
};

describe.each(Object.entries(exhibits))('%s', (name, { text, theme, steps, layer = 0, checked = false }) => {
  it.each([1000, 320])('fits in every view at %s pixels', async (width) => {
    const host = new FakeHost(text);
    if (steps === Infinity) {
      await host.runner.command({ type: 'run' });
      await host.waitForFrame(({ status }) => status === 'diverged' || status === 'finished');
    } else if (steps > 0) {
      await host.runner.command({ type: 'runToStep', step: steps });
      await host.waitForFrame(({ position, target }) => position.step === steps && target === null);
    }
    const panel = await openPanel(browser, host, { width, theme, storedState: { layer } });
    await forEachView(panel, async (view) => {
      await panel.screenshot(`gallery-${name}-${width}-${view}`);
      expect({ view, cutOff: await findClippedText(panel.page) }).toEqual({ view, cutOff: [] });
      if (checked && width === 1000) expect(await axeViolations(panel.page)).toEqual([]);
    });
    expect(panel.problems).toEqual([]);
    await host.dispose();
    await panel.page.close();
  });
});
