// Every view of runs of every sort: images, a single input, many layers, wide ones, long names, NaN, not begun, finished. Leaves
// pictures in test/screenshots to be looked at.
import { describe, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { violations } from './harness/axe';
import { cutOff, throughViews } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type ThemeName } from './harness/page';
import { deepest, diverging, images, longNames, widest } from './harness/specs';

const browser = useBrowser();
interface Exhibit {
  readonly text: string;
  readonly theme: ThemeName;
  /** Trained so far; Infinity: until it ends. */
  readonly steps: number;
  readonly layer?: number;
  /** The accessibility checker looks at it, too; of a large one it takes half a minute. */
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
  it.each([1000, 320])('stands in every view at %s pixels', async (width) => {
    const host = new FakeHost(text);
    if (steps === Infinity) {
      await host.runner.command({ type: 'run' });
      await host.until(({ status }) => status === 'diverged' || status === 'finished');
    } else if (steps > 0) {
      await host.runner.command({ type: 'runToStep', step: steps });
      await host.until(({ position, target }) => position.step === steps && target === null);
    }
    const panel = await openPanel(browser, host, { width, theme, kept: { layer } });
    await throughViews(panel, async (view) => {
      await panel.shot(`gallery-${name}-${width}-${view}`);
      expect({ view, cutOff: await cutOff(panel.page) }).toEqual({ view, cutOff: [] });
      if (checked && width === 1000) expect(await violations(panel.page)).toEqual([]);
    });
    expect(panel.problems).toEqual([]);
    await host.dispose();
    await panel.page.close();
  });
});
