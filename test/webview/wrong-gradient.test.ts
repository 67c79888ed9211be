// The Check view for a custom layer with a wrong backward: which layer, why, where, and the entry itself. Saves
// screenshots in test/screenshots for visual inspection.
import { describe, expect, it } from 'vitest';
import type { Layer } from '../../src/engine/custom/contract';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { FakeHost } from './harness/host';
import { openPanel, type ThemeName } from './harness/page';

const browser = useBrowser();
/** A linear layer that leaves the last row of its weight's gradient at 0. */
const withoutLastRow: Layer = {
  parameters: ([n]) => ({ weight: { shape: [6, n], init: { type: 'normal', std: 0.5 } } }),
  outputShape: () => [6],
  forward: ({ x, parameters, ops }) => ops.matmul(x, ops.transpose(parameters.weight)),
  backward({ x, dy, parameters, ops }) {
    const weight = ops.matmul(ops.transpose(dy), x);
    weight.data.fill(0, weight.data.length - weight.shape[1]);
    return { dx: ops.matmul(dy, parameters.weight), parameters: { weight } };
  },
};

const spec = JSON.stringify(
  {
    data: 'circles',
    layers: [
      { type: 'linear', out_features: 8 },
      { type: 'custom', module: './layers/row.layer.ts', name: 'row1' },
      'tanh',
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    batch_size: 32,
    penalty: { l2: 0.01 },
  },
  null,
  2,
);

const host = (): FakeHost => {
  const place = { file: '/layers/row.layer.ts', line: 7, column: 3 };
  const definition = createCustomLayer(
    { name: 'row1', index: 1 },
    { defaultExport: withoutLastRow, locate: () => place },
    { enter: () => undefined, leave: () => undefined },
  );
  return new FakeHost(spec, { code: { getDefinition: () => definition as LayerDefinition } });
};

describe.each<[ThemeName, number]>([
  ['dark', 1000],
  ['light', 1000],
  ['hc', 1000],
  ['dark', 320],
])('in %s at %d pixels', (theme, width) => {
  it('a wrong row is reported, shown at its position, and opened', async () => {
    const checked = host();
    const panel = await openPanel(browser, checked, { theme, width, height: 2600 });
    const { page } = panel;
    await clickTab(page, 'check');
    await page.locator('[data-action="check"]').click();
    await page.locator('.verdict.bad').waitFor();
    expect(await page.locator('.diagnosis').first().innerText()).toMatch(
      /The gradient of row1\.weight is wrong only in row 5: it is zero there.* \(with the penalty, at \[5, \d\] .*line \d+ of the spec.*row\.layer\.ts:7:3/,
    );
    expect(await page.locator('tr[data-parameter="row1.weight"]').innerText()).toMatch(/wrong/);
    await page.locator('.map canvas').waitFor();
    await page.locator('.map canvas').focus();
    // The last row is five below the first.
    for (let row = 0; row < 6; row++) await page.keyboard.press('ArrowDown');
    await panel.waitUntilDrawn();
    expect(await page.locator('.reading[role="status"]').innerText()).toMatch(/\[5, \d\] wrong: backprop/);
    await page.keyboard.press('Enter');
    await page.locator('.entry canvas').waitFor();
    await panel.waitUntilDrawn();
    expect(await page.locator('.entry').innerText()).toContain('row1.weight');
    await panel.screenshot(`wrong-gradient-${theme}-${width}`);
    expect(await axeViolations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(panel.problems).toEqual([]);
    await checked.dispose();
    await page.close();
  });
});
