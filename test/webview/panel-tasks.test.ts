// What people come to the panel for, counted in clicks, and visible without scrolling: in half a window, and in the
// narrow panel beside an editor and a sidebar.
import { afterEach, describe, expect, it } from 'vitest';
import type { Layer } from '../../src/engine/custom/contract';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import type { Locator, Page } from 'playwright-core';
import { useBrowser } from './chromium';
import { FakeHost, type HostOptions, readExample } from './harness/host';
import { openPanel, type PageOptions, type PanelPage } from './harness/page';
import { deepest } from './harness/specs';

const browser = useBrowser();
const HALF_WINDOW = { width: 684, height: 800 };
const NARROW = { width: 380, height: 600 };

let opened: { host: FakeHost; panel: PanelPage } | null = null;
afterEach(async () => {
  await opened?.panel.waitUntilDrawn();
  expect(opened?.panel.problems).toEqual([]);
  await opened?.host.dispose();
  await opened?.panel.page.close();
  opened = null;
});

/** A panel after this step, in which clicks are counted. */
async function open(text: string, step: number, options: PageOptions, hostOptions?: HostOptions) {
  const host = new FakeHost(text, hostOptions);
  host.runner.subscribe(['activations', 'gradients', 'updates'], []);
  if (step > 0) {
    await host.runner.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  const panel = await openPanel(browser, host, options);
  opened = { host, panel };
  await panel.page.evaluate(() => {
    document.documentElement.dataset.clicks = '0';
    const count = (): void => {
      document.documentElement.dataset.clicks = String(Number(document.documentElement.dataset.clicks) + 1);
    };
    document.addEventListener('click', count, true);
  });
  return { host, panel, page: panel.page };
}

const clicks = (page: Page): Promise<number> => page.evaluate(() => Number(document.documentElement.dataset.clicks));

/** Whether an element is inside the window and not covered, at its corners and its center. */
const isCompletelyVisible = (element: Locator): Promise<boolean> =>
  element.evaluate((shown) => {
    const { left, right, top, bottom } = shown.getBoundingClientRect();
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) return false;
    const points = [
      [left + 8, top + 8],
      [right - 8, bottom - 8],
      [(left + right) / 2, (top + bottom) / 2],
    ] as const;
    return points.every(([x, y]) => shown.contains(document.elementFromPoint(x, y)));
  });

const moons = JSON.stringify({
  data: 'moons',
  layers: [
    { type: 'linear', out_features: 32 },
    'relu',
    { type: 'linear', out_features: 32 },
    'relu',
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 8, momentum: 0.9 },
  epochs: 30,
});

describe('first why', () => {
  it.each([HALF_WINDOW, NARROW])('two clicks at $width pixels, completely visible', async (size) => {
    const { host, panel, page } = await open(readExample('circles'), 40, size);
    for (let phase = 1; phase <= 7; phase++) await host.runner.command({ type: 'stepPhase' });
    await host.waitForFrame(({ position }) => position.phase === 7);
    await panel.waitUntilDrawn();
    const menu = page.locator('.workspace-menu');
    if (await menu.isVisible()) {
      await menu.click();
      await menu.selectOption('Explain');
    } else await page.locator('#workspace-explain').click();
    await panel.waitUntilDrawn();
    const number = page.locator('.matrices .cell').first();
    await number.click();
    await page.locator('.why tbody tr').first().waitFor();
    await panel.waitUntilDrawn();
    // The browser's menu takes the first click; a choice in it is a second one for people.
    expect(await clicks(page)).toBe(2);
    const why = page.locator('.why');
    expect(await isCompletelyVisible(why)).toBe(true);
    expect(await why.evaluate((shown) => shown.scrollHeight <= shown.clientHeight + 1)).toBe(true);
    // It does not cover the number.
    const [above, below] = await Promise.all([number.boundingBox(), why.boundingBox()]);
    expect(above && below && (below.y >= above.y + above.height || below.y + below.height <= above.y)).toBe(true);
  });

  it('with the keyboard: follows a term, goes back, and returns to the number', async () => {
    const { host, panel, page } = await open(readExample('circles'), 40, {
      ...HALF_WINDOW,
      storedState: { view: 'step' },
    });
    for (let phase = 1; phase <= 7; phase++) await host.runner.command({ type: 'stepPhase' });
    await host.waitForFrame(({ position }) => position.phase === 7);
    await panel.waitUntilDrawn();
    const number = page.locator('.matrices .matrix').nth(1).locator('.cell').first();
    await number.focus();
    await page.keyboard.press('Enter');
    await page.locator('.why tbody tr').first().waitFor();
    const title = (): Promise<string> => page.locator('.why h2').innerText();
    const first = await title();
    expect(first).toContain('dL/d output.weight[0, 0]');
    const sampleBefore = await page.locator('#sample').inputValue();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect.poll(title).not.toBe(first);
    await page.locator('.why .trail .link').waitFor();
    // A term of another sample does not change the sample that views follow.
    expect(await page.locator('#sample').inputValue()).toBe(sampleBefore);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(title).toBe(first);
    await page.keyboard.press('Escape');
    expect(await page.locator('.why:popover-open').count()).toBe(0);
    expect(await number.evaluate((cell) => cell === document.activeElement)).toBe(true);
  });

  it('links to the layer, its line in the spec, and the row of the data', async () => {
    const { host, panel, page } = await open(readExample('circles'), 40, {
      ...HALF_WINDOW,
      storedState: { view: 'step' },
    });
    await host.runner.command({ type: 'stepPhase' });
    await host.runner.command({ type: 'stepPhase' });
    const { batchPosition } = await host.waitForFrame(({ position }) => position.phase === 2);
    await panel.waitUntilDrawn();
    await page.locator('.matrices .matrix').last().locator('.cell').first().click();
    const why = page.locator('.why');
    await why.getByRole('button', { name: 'line 8' }).click();
    expect(host.callsTo('selectLayer').at(-1)).toEqual([0]);
    await why.getByRole('button', { name: `sample ${batchPosition.firstSample}` }).click();
    await page.locator(`#view-data tr[data-row="${batchPosition.firstSample}"].selected`).waitFor();
    expect(await page.locator('#sample').inputValue()).toBe(String(batchPosition.firstSample));
  });
});

/** A linear layer whose weight gradient has the wrong sign. */
const wrongSign: Layer = {
  parameters: ([n]) => ({ weight: { shape: [4, n], init: { type: 'normal', std: 0.5 } } }),
  outputShape: () => [4],
  forward: ({ x, parameters, ops }) => ops.matmul(x, ops.transpose(parameters.weight)),
  backward({ x, dy, parameters, ops }) {
    const weight = ops.matmul(ops.transpose(dy), x);
    for (let i = 0; i < weight.data.length; i++) weight.data[i] *= -1;
    return { dx: ops.matmul(dy, parameters.weight), parameters: { weight } };
  },
};

describe('first wrong gradient to its line', () => {
  it.each([HALF_WINDOW, NARROW])('two clicks at $width pixels', async (size) => {
    const text = JSON.stringify({
      data: 'circles',
      layers: [
        { type: 'custom', module: './layers/mine.layer.ts', name: 'mine' },
        { type: 'linear', out_features: 2 },
      ],
      loss: 'cross_entropy',
      batch_size: 16,
    });
    const definition = createCustomLayer(
      { name: 'mine', index: 0 },
      { defaultExport: wrongSign, locate: () => ({ file: '/layers/mine.layer.ts', line: 18, column: 3 }) },
      { enter: () => undefined, leave: () => undefined },
    );
    const { host, page } = await open(text, 1, size, { code: { getDefinition: () => definition as LayerDefinition } });
    await page.locator('[data-action="check"]').click();
    const link = page.locator('.state [data-action="revealDiagnosis"]');
    await link.waitFor();
    expect(await link.innerText()).toBe('Go to mine.layer.ts:18');
    expect(await page.locator('.state').getAttribute('data-state')).toBe('wrong_gradients');
    await link.click();
    expect(await clicks(page)).toBe(2);
    expect(host.callsTo('revealDiagnosis').length).toBe(1);
    await page.locator('.view [data-action="debugLayer"]').click();
    expect(host.callsTo('debugLayer')).toEqual([['mine']]);
  });
});

describe('dead network named', () => {
  it.each([HALF_WINDOW, NARROW])('no click at $width pixels; its remedy in one', async (size) => {
    const { host, page, panel } = await open(moons, 240, size);
    const state = page.locator('.state');
    expect(await state.getAttribute('data-state')).toBe('not_learned');
    expect(await state.getAttribute('class')).toContain('bad');
    expect(await clicks(page)).toBe(0);
    expect((await state.boundingBox())?.height).toBeLessThanOrEqual(32);
    await page.locator('.state [data-action="applyFix"]').click();
    expect(await clicks(page)).toBe(1);
    expect(host.callsTo('applyQuickFix')[0]?.[0]).toMatchObject({ changes: [{ path: ['optimizer', 'lr'] }] });
    // Causes first, each one click from its step.
    await page.locator('.findings-count').click();
    const steps = (await page.locator('.details [data-finding] button:first-of-type').allInnerTexts()).map((label) =>
      Number(/\d+/.exec(label)?.[0]),
    );
    expect(steps.length).toBeGreaterThan(2);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(await isCompletelyVisible(page.locator('.details'))).toBe(true);
    await page
      .locator('.details [data-finding="dead-units"]')
      .first()
      .getByRole('button', { name: /^Since step/ })
      .click();
    const frame = await host.waitForFrame(({ position, target }) => position.step < 240 && target === null);
    await panel.waitUntilDrawn();
    expect(frame.findings.some(({ code, since }) => code === 'dead-units' && since === frame.position.step)).toBe(true);
    expect(await page.locator('.details:popover-open').count()).toBe(0);
  });
});

describe('vanishing gradient', () => {
  /** Widths of the gradient bars that are visible without scrolling. */
  const visibleBars = (page: Page): Promise<number[]> =>
    page.locator('.layers [role="option"]').evaluateAll((rows) =>
      rows
        .filter((row) => {
          const { left, top, height } = row.getBoundingClientRect();
          return row.contains(document.elementFromPoint(left + 12, top + height / 2));
        })
        .map((row) => row.querySelector('.bar i')?.getBoundingClientRect().width ?? NaN),
    );

  it('is a staircase of twenty layers in half a window, without a click', async () => {
    const { page } = await open(deepest.replaceAll('"tanh"', '"sigmoid"'), 5, HALF_WINDOW);
    // The statistics of a step may be drawn after its number.
    await expect.poll(async () => Math.max(...(await visibleBars(page))), { timeout: 120_000 }).toBeGreaterThan(0);
    const bars = await visibleBars(page);
    expect(bars.length).toBeGreaterThanOrEqual(20);
    const linear = bars.filter((_, i) => i % 2 === 0);
    for (let i = 1; i < linear.length; i++) expect(linear[i]).toBeGreaterThanOrEqual(linear[i - 1]!);
    expect(linear.at(-1)).toBeGreaterThan(2 * linear[0]!);
    expect(await clicks(page)).toBe(0);
  });

  it('comes first in Diagnose of a narrow panel', async () => {
    const { page } = await open(deepest.replaceAll('"tanh"', '"sigmoid"'), 5, {
      ...NARROW,
      storedState: { view: 'gradients' },
    });
    expect((await visibleBars(page)).length).toBeGreaterThanOrEqual(12);
  });
});

describe('compare two steps', () => {
  it('three clicks: pin a step, go on, open Compare', async () => {
    const { host, panel, page } = await open(readExample('circles'), 40, HALF_WINDOW);
    await page.locator('[data-action="pin"]').click();
    await page.locator('[data-action="step"]').click();
    await host.waitForFrame(({ position, target }) => position.step === 41 && target === null);
    await panel.waitUntilDrawn();
    await page.locator('.workspace-menu, #workspace-compare').filter({ visible: true }).first().click();
    if (await page.locator('.workspace-menu').isVisible())
      await page.locator('.workspace-menu').selectOption('Compare');
    await panel.waitUntilDrawn();
    expect(await clicks(page)).toBe(3);
    const steps = await page.locator('#view-time tbody tr th, #view-time tbody tr td:first-child').allInnerTexts();
    for (const step of ['40', '41']) expect(steps.some((each) => each.includes(step))).toBe(true);
  });
});

describe('room for content', () => {
  it.each([HALF_WINDOW, NARROW, { width: 320, height: 700 }])(
    'one row of toolbar and two thirds of the height at $width pixels',
    async (size) => {
      const { page } = await open(readExample('circles'), 40, size);
      const { toolbar, content } = await page.evaluate(() => {
        const top = document.querySelector('.body')!.getBoundingClientRect().top;
        const bottom = document.querySelector('.time')!.getBoundingClientRect().top;
        return {
          toolbar: document.querySelector('.transport')!.getBoundingClientRect().height,
          content: (bottom - top) / innerHeight,
        };
      });
      expect(toolbar).toBeLessThanOrEqual(40);
      expect(content).toBeGreaterThan(2 / 3);
    },
  );
});

describe('the followed sample', () => {
  it('is pinned, holds over steps and views, and is released', async () => {
    const { host, panel, page } = await open(readExample('circles'), 3, HALF_WINDOW);
    const field = page.locator('#sample');
    const pin = page.locator('[data-action="pin-sample"]');
    const pinned = await field.inputValue();
    await pin.click();
    await expect.poll(() => pin.getAttribute('aria-pressed')).toBe('true');
    for (let step = 4; step <= 6; step++) {
      await page.keyboard.press('F10');
      const frame = await host.waitForFrame(({ position, target }) => position.step === step && target === null);
      await panel.waitUntilDrawn();
      expect(frame.batchPosition.firstSample).not.toBe(Number(pinned));
      expect(await field.inputValue()).toBe(pinned);
    }
    expect(await panel.storedState()).toMatchObject({ sample: Number(pinned) });
    await pin.click();
    const { batchPosition } = await host.waitForFrame(() => true);
    await expect.poll(() => field.inputValue()).toBe(String(batchPosition.firstSample));
  });
});

describe('blocks', () => {
  it('collapse and expand with a click and with arrow keys; the selected layer stays visible', async () => {
    const { panel, page } = await open(readExample('residual'), 2, HALF_WINDOW);
    const rows = (): Promise<(string | null)[]> =>
      page.locator('.layers [role="option"]').evaluateAll((all) => all.map((row) => row.getAttribute('data-layer')));
    const everything = await rows();
    expect(await page.locator('.block-head span').allInnerTexts()).toEqual(
      [1, 2, 3].flatMap((copy) => [`repeat ${copy} of 3`, 'residual']),
    );
    await page.locator('.block-head').first().click();
    await panel.waitUntilDrawn();
    expect(await rows()).toEqual(everything.filter((layer) => !['1', '2', '3'].includes(layer ?? '')));
    await page.locator('[data-layer="0"]').click();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLElement).dataset.layer)).toBe('1');
    expect(await rows()).toEqual(everything.filter((layer) => !['2', '3'].includes(layer ?? '')));
    await page.keyboard.press('ArrowRight');
    await panel.waitUntilDrawn();
    expect(await rows()).toEqual(everything);
    await page.keyboard.press('ArrowLeft');
    await panel.waitUntilDrawn();
    expect(await rows()).toEqual(everything.filter((layer) => !['2', '3'].includes(layer ?? '')));
  });
});
