// A network of a hundred layers, with every view that shows all of them open: no message is large, and every number arrives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLayers } from '../../src/session/readings';
import type { TrainingSession } from '../../src/session/session';
import { fullNumber } from '../../webview/numbers';
import { openBrowser, type PanelBrowser } from './chromium';
import { FakeHost } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const LIMIT = 100 * 1024;
const text = `{
  "data": "circles",
  "layers": [${'{ "type": "linear", "out_features": 8 }, "tanh", '.repeat(50)}{ "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.05 }, "batch_size": 60, "epochs": 50000
}`;

let browser: PanelBrowser;
let host: FakeHost;
let panel: PanelPage;

beforeAll(async () => {
  browser = await openBrowser();
  host = new FakeHost(text);
  panel = await openPanel(browser, host, { width: 1600, height: 1200, kept: { view: 'network', several: true, open: ['learn', 'step', 'network', 'fit', 'gradients', 'activations'] } });
});
afterAll(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await browser.close();
});

/** Each layer's mean, spread and gradient norm, as the list has them. */
const listed = (): Promise<string[][]> =>
  panel.page.locator('.layers [role=option]').evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll<HTMLElement>('[data-activation] [data-value], [data-gradient] [data-value]')].map(({ dataset }) => dataset.value ?? '')),
  );

async function expectAll(): Promise<void> {
  await panel.settled();
  const { network, pass, progress, updateRatios } = host.session as TrainingSession;
  const own = readLayers(network, pass, progress, new Set(['activations', 'gradients', 'updates']), updateRatios);
  expect(own.length).toBe(101);
  expect(await listed()).toEqual(own.map(({ activation, outputGradient }) => [activation?.mean, activation?.std, outputGradient?.norm].map((value) => fullNumber(value ?? NaN))));
  expect(panel.weights.length).toBeGreaterThan(10);
  expect(Math.max(...panel.weights)).toBeLessThan(LIMIT);
}

describe('a hundred layers', () => {
  it('have all their numbers after a step', async () => {
    await panel.page.keyboard.press('F10');
    await host.until(({ position, answers }) => position.step === 1 && answers.length > 5);
    await expectAll();
  });

  it('and after a run that was paused', async () => {
    await panel.page.keyboard.press('F5');
    await host.until(({ status, position }) => status === 'running' && position.step > 3);
    await panel.page.keyboard.press('F5');
    await host.until(({ status }) => status === 'paused');
    await expectAll();
  });
});
