// Counterfactual changes show at once and are marked, and the run is not affected until weights are kept; every number
// on the page is the engine's.
import { afterEach, describe, expect, it } from 'vitest';
import { importCustomLayers } from '../../src/custom-layers/import-custom-layers';
import type { TrainingSession } from '../../src/session/session';
import { parseSpec } from '../../src/model-spec';
import type { CustomLayerProvider } from '../../src/model-spec/custom-layers';
import { formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { examples, FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';
import { images } from './harness/specs';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
afterEach(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
});

async function open(
  text: string,
  storedState: Record<string, unknown>,
  step = 0,
  code?: CustomLayerProvider,
): Promise<TrainingSession> {
  host = new FakeHost(text, { code });
  if (step > 0) {
    await host.runner.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  panel = await openPanel(browser, host, { storedState });
  return host.session as TrainingSession;
}

const full = (selector: string): Promise<string[]> =>
  panel.page
    .locator(`${selector} [data-value]`)
    .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? ''));

async function type(field: string, text: string): Promise<void> {
  await panel.page.locator(field).fill(text);
  await panel.page.keyboard.press('Enter');
  await computed();
}

/** Waits until the effects of all changes are shown. */
async function computed(): Promise<void> {
  await panel.waitUntilDrawn();
  await panel.page.locator('.follows[aria-busy="true"]').waitFor({ state: 'detached' });
  await panel.waitUntilDrawn();
}

/** The session's own numbers for a single sample. */
function evaluated(session: TrainingSession, sample: number): { loss: number; outputs: number[][] } {
  const pass = session.network.evaluationPass(1);
  pass.loadBatch(session.run.dataset.inputs, session.run.targets, Uint32Array.of(sample), 0);
  const loss = pass.evaluate();
  return { loss, outputs: pass.outputs.map(({ data }) => [...data]) };
}

/** The example with its custom layer, as the engine process loads it. */
async function softArgmax(): Promise<{ text: string; code: CustomLayerProvider }> {
  const text = readExample('soft-argmax');
  const { spec } = parseSpec(text);
  if (!spec) throw new Error('The example has problems.');
  return {
    text,
    code: await importCustomLayers(
      spec,
      { folder: examples, root: examples },
      { enter: () => undefined, leave: () => undefined },
    ),
  };
}

describe('moving an input', () => {
  it('sharpens a soft argmax as it is scaled, by keyboard alone', async () => {
    const { text, code } = await softArgmax();
    // After some steps, so that the layer's k is not a round number.
    const session = await open(text, { view: 'what_if', sample: 0 }, 20, code);
    const [
      {
        name,
        value: {
          data: [k],
        },
      },
    ] = session.network.parameters;
    expect(name).toBe('scaled.k');
    expect(k).toBeGreaterThan(1.1);
    const { page } = panel;
    const shares: number[] = [];
    // Nothing is listed before a change.
    await page.locator('#try-scale').waitFor();
    expect(await page.locator('[data-difference]').count()).toBe(0);
    for (const scale of [2, 5, 20]) {
      await type('#try-scale', String(scale));
      await page.locator('[data-node="loss"]').first().waitFor();
      await page.waitForFunction(
        (wanted) => document.querySelector<HTMLInputElement>('#try-input-2')?.value === wanted,
        String(3 * scale),
      );
      await panel.waitUntilDrawn();
      const powers = [1, 2, 3].map((value) => Math.exp(k * scale * (value - 3)));
      const sum = powers.reduce((a, b) => a + b, 0);
      const shown = (await full('[data-node="output of softmax1"] [data-after]')).map(Number);
      expect(shown.length).toBe(3);
      shown.forEach((value, i) => expect(value).toBeCloseTo(powers[i] / sum, 14));
      expect((await full('[data-node="output of scaled"] [data-after]')).map(Number)).toEqual(
        [1, 2, 3].map((value) => value * scale * k),
      );
      expect(await page.locator('.what-if[data-tried="3"]').count()).toBe(1);
      shares.push(shown[2]);
    }
    expect([...shares].sort()).toEqual(shares);
    // A slider changes one number; the whole drag is one change to undo.
    await page.locator('input.try').first().focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
    await computed();
    expect(Number(await page.locator('#try-input-0').inputValue())).toBeLessThan(20);
    await page.locator('[data-action="try-undo"]').focus();
    await page.keyboard.press('Enter');
    await computed();
    expect(await page.locator('#try-input-0').inputValue()).toBe('20');
    await page.locator('[data-action="try-reset"]').click();
    await computed();
    expect(await page.locator('#try-input-0').inputValue()).toBe('1');
    expect(await page.locator('.what-if[data-tried="0"]').count()).toBe(1);
  });
});

describe('setting a weight', () => {
  it('shows all consequences on a copy, and applies to the run when kept', async () => {
    const session = await open(readExample('circles'), { view: 'what_if', sample: 3 }, 12);
    const { page } = panel;
    const hash = session.stateHash();
    const before = evaluated(session, 3);
    await page.locator('#try-parameter').selectOption('output.weight');
    await type('#try-index', '2');
    await type('#try-weight', '1.75');
    await page.locator('.what-if[data-tried="1"]').waitFor();
    await page.locator('[data-node="train"]').waitFor();
    await panel.waitUntilDrawn();
    expect(session.stateHash()).toBe(hash);
    const seen = await Promise.all(
      ['loss', 'output of output'].map(async (node) => [
        await full(`[data-node="${node}"] [data-before]`),
        await full(`[data-node="${node}"] [data-after]`),
        await full(`[data-node="${node}"] [data-difference]`),
      ]),
    );
    const gradients = await full('[data-node="dL/d output.weight"] [data-after]');
    await panel.screenshot('panel-dark-what-if');
    expect(await axeViolations(page)).toEqual([]);
    await page.locator('[data-action="try-keep"]').focus();
    await page.keyboard.press('Enter');
    await host.waitForFrame(({ truncatedTo }) => truncatedTo === 12);
    expect(session.network.parameters.find(({ name }) => name === 'output.weight')?.value.data[2]).toBe(1.75);
    const after = evaluated(session, 3);
    expect(seen[0]).toEqual(
      [[before.loss], [after.loss], [after.loss - before.loss]].map((values) => values.map(formatExact)),
    );
    expect(seen[1]).toEqual(
      [before.outputs[2], after.outputs[2], after.outputs[2].map((value, i) => value - before.outputs[2][i])].map(
        (values) => values.map(formatExact),
      ),
    );
    // dL/dW_ij = (p_i − y_i) h_j, by hand.
    const [a, b] = after.outputs[2];
    const p = [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))];
    const target = session.run.dataset.targets[3];
    gradients.forEach((gradient, i) =>
      expect(Number(gradient)).toBeCloseTo(
        (p[Math.floor(i / 4)] - (Math.floor(i / 4) === target ? 1 : 0)) * after.outputs[1][i % 4],
        5,
      ),
    );
    await computed();
    expect(await page.locator('.what-if').count()).toBe(0);
  });

  it('starts from a cell of Tensors, and is marked in every view that shows it', async () => {
    const session = await open(
      readExample('circles'),
      { view: 'tensors', layer: 0, tensor: 'parameter', parameter: 'weight' },
      5,
    );
    const { page } = panel;
    await page.locator('.map canvas').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await page.locator('#tensor-try').inputValue()).toBe(
      formatExact(session.network.parameters[0].value.data[2]),
    );
    await type('#tensor-try', '0.5');
    await page.locator('.what-if[data-tried="1"] [data-tried-loss] [data-value]').waitFor();
    expect(await axeViolations(page)).toEqual([]);
    await clickTab(page, 'network');
    await page.locator('.what-if [data-tried-loss] [data-value]').waitFor();
    // The graph is counterfactual, and says so.
    await page.locator('[data-tried-picture]').waitFor();
    await panel.screenshot('panel-dark-what-if-network');
    const sample = host.frame?.queryResults.length
      ? Number((await page.locator('.what-if').innerText()).match(/sample (\d+)/)?.[1])
      : NaN;
    const shown = await full('[data-tried-loss]');
    // An input of the graph can be changed too.
    await page.locator('.map canvas').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#network-try').waitFor();
    await type('#network-try', '0.25');
    await page.locator('.what-if[data-tried="2"]').waitFor();
    await page.locator('[data-action="try-undo"]').click();
    await page.locator('.what-if[data-tried="1"]').waitFor();
    expect(session.network.parameters[0].value.data[2]).not.toBe(0.5);
    session.network.parameters[0].value.data[2] = 0.5;
    expect(shown).toEqual([formatExact(evaluated(session, sample).loss)]);
  });

  it('shows counterfactual maps, feature maps and filters, and marks them', async () => {
    const session = await open(
      images,
      {
        view: 'network',
        sample: 100,
        viewState: {
          what_if: { weights: [{ parameter: 'conv2d1.weight', index: 0, value: 3 }], inputs: [], before: [] },
        },
      },
      2,
    );
    const { page } = panel;
    await page.locator('[data-tried-picture]').waitFor();
    await page.locator('[data-tried-filters]').waitFor();
    await panel.screenshot('panel-dark-what-if-images');
    expect(await axeViolations(page)).toEqual([]);
    const pixels = (): Promise<string> =>
      page
        .locator('.map canvas')
        .first()
        .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const rows = async (selector: string): Promise<string[]> => {
      await page
        .locator(`${selector} details.data`)
        .last()
        .evaluate((details) => ((details as HTMLDetailsElement).open = true));
      await panel.waitUntilDrawn();
      return full(`${selector} details.data`);
    };
    const filters = await rows('#view-network > div:nth-child(4)');
    const [tried, units] = [await pixels(), await rows('#view-network > div:nth-child(5)')];
    expect(filters[0]).toBe('3');
    await page.locator('[data-action="try-undo"], [data-action="try-reset"]').last().click();
    await computed();
    await page.locator('[data-tried-picture]').waitFor({ state: 'detached' });
    expect(await pixels()).not.toBe(tried);
    expect(await rows('#view-network > div:nth-child(5)')).not.toEqual(units);
    // With the weights set in the run, the graph is the same except for gradients, which are those of the batch.
    session.setWeights([{ parameter: 'conv2d1.weight', index: 0, value: 3 }]);
    const { outputs } = evaluated(session, 100);
    const mean = outputs[0].slice(0, 32 * 32).reduce((a, b) => a + b, 0) / 1024;
    expect(units.map(Number)).toContainEqual(expect.closeTo(mean, 6));
  });
});
