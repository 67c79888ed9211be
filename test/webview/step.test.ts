// Step shows the line of the spec that defines a phase, and a click highlights it there.
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../src/protocol/panel';
import { useBrowser } from './chromium';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
/** The lines of the text, counted manually: those of each layer in the network's order, and that of the loss. */
const places = {
  circles: { layers: [8, 9, 11], loss: 13 },
  // The lines of a block that is repeated three times.
  blocks: { layers: [11, 12, 11, 12, 11, 12, 15], loss: 17 },
} as const;

describe.each(Object.entries(places))('the phases of %s', (name, { layers, loss }) => {
  it('show the lines that define them', async () => {
    const text = readExample(name);
    const lines = text.split('\n');
    const host = new FakeHost(text);
    const panel: PanelPage = await openPanel(browser, host, { storedState: { view: 'step' } });
    const { page } = panel;
    const phases = host.session?.model.phases ?? [];
    expect(phases.length).toBe(2 * layers.length + 4);
    const lineOf = (phase: Phase): number | null =>
      phase.kind === 'forward' || phase.kind === 'backward'
        ? layers[phase.layer]
        : phase.kind === 'loss' || phase.kind === 'loss_backward'
          ? loss
          : null;
    for (const [i, phase] of phases.entries()) {
      await page.keyboard.press('F11');
      await host.waitForFrame(({ position }) => (position.step > 0 ? phases.length : position.phase) === i + 1);
      await panel.waitUntilDrawn();
      const line = lineOf(phase);
      expect({ phase, shown: await page.locator('.spec-line').allInnerTexts() }).toEqual({
        phase,
        shown: line === null ? [] : [`Line ${line} of the spec: ${lines[line - 1].trim()}`],
      });
      const marks = page.locator('.spec-line button');
      expect(await marks.count()).toBe('layer' in phase ? 1 : 0);
      if (!('layer' in phase)) continue;
      const before = host.callsTo('selectLayer').length;
      if (host.callsTo('selectLayer').at(-1)?.[0] !== phase.layer) {
        await marks.click();
        await expect.poll(() => host.callsTo('selectLayer').length).toBe(before + 1);
      }
      expect(host.callsTo('selectLayer').at(-1)).toEqual([phase.layer]);
    }
    expect(panel.problems).toEqual([]);
    await host.dispose();
    await page.close();
  });
});
