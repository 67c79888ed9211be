// Every number on the page is the session's: compared digit by digit with its frame.
import type { Frame } from '../../src/protocol/frame';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Locator } from 'playwright-core';
import type { QueryResult, QueryValue, Query } from '../../src/protocol/panel';
import { formatNumber, formatPercent, formatExact } from '../../src/presentation/numbers';
import { useBrowser } from './chromium';
import { clickTab } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';
import { guarded } from './harness/specs';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
let frame: Frame;

beforeAll(async () => {
  host = new FakeHost(readExample('circles'));
  panel = await openPanel(browser, host);
  for (const step of [1, 2, 20]) {
    await host.requests.command({ type: 'runToStep', step });
    await host.waitForFrame(({ position, target }) => position.step === step && target === null);
  }
  await panel.waitUntilDrawn();
  frame = host.frame as Frame;
});

afterAll(async () => {
  await host.dispose();
});

/** All digits of the numbers in an element, and what is shown of them. */
async function numbersIn(place: Locator): Promise<{ full: string[]; shown: string[] }> {
  const numbers = place.locator('[data-value]');
  return {
    full: await numbers.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? '')),
    shown: (await numbers.allTextContents()).map((text) => text.replaceAll('\u2007', '').trim()),
  };
}

function expectNumbers(
  found: { full: string[]; shown: string[] },
  values: readonly (number | null | undefined)[],
): void {
  expect(values.every((value) => typeof value === 'number')).toBe(true);
  expect(found.full).toEqual(values.map((value) => formatExact(value as number)));
  expect(found.shown).toEqual(values.map((value) => formatNumber(value as number)));
}

it('shows the position of the run', async () => {
  expect(await panel.page.locator('#step').inputValue()).toBe('20');
  expect(await panel.page.locator('#lr').inputValue()).toBe('0.1');
  const { epoch, batch } = frame.batchPosition;
  expect(await panel.page.locator('[data-epoch]').getAttribute('data-epoch')).toBe(String(epoch));
  expect(await panel.page.locator('[data-batch]').innerText()).toBe(`batch ${batch}/8`);
  expect(await panel.page.locator('.phase').innerText()).toBe('update');
});

describe('the layer list', () => {
  it('has a row per layer, from input to loss', async () => {
    const names = await panel.page.locator('.layers b').allInnerTexts();
    expect(names).toEqual(['input', 'hidden', 'tanh1', 'output', 'loss']);
    expect(await panel.page.locator('[data-layer="0"] .kind').innerText()).toMatch(/linear 2→4 · 12/);
  });

  it('has each layer’s mean, spread, gradient norm and largest update ratio', async () => {
    for (const [layer, { activation, outputGradient, parameters }] of frame.layers.entries()) {
      const row = panel.page.locator(`[data-layer="${layer}"]`);
      expectNumbers(await numbersIn(row.locator('[data-activation]')), [activation?.mean, activation?.std]);
      expectNumbers(await numbersIn(row.locator('[data-gradient]')), [outputGradient?.norm]);
      if (parameters.length === 0) continue;
      expectNumbers(await numbersIn(row.locator('[data-ratio]')), [parameters[0].updateRatio ?? NaN]);
    }
  });

  it('has a badge exactly for layers with idle units', async () => {
    for (const [layer, { activation }] of frame.layers.entries()) {
      const badge = panel.page.locator(`[data-layer="${layer}"] .badge`);
      const idle = activation?.idle ?? 0;
      expect(await badge.count()).toBe(idle > 0 ? 1 : 0);
      if (idle > 0) expect(await badge.innerText()).toContain(formatPercent(idle));
    }
  });

  it('has the loss of the batch', async () => {
    expectNumbers(await numbersIn(panel.page.locator('.layers [data-loss]')), [frame.loss]);
  });

  it('draws gradient norms as bars on one logarithmic axis', async () => {
    const widths = await panel.page
      .locator('.bar i')
      .evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
    const norms = frame.layers.map(({ outputGradient }) => outputGradient?.norm ?? NaN);
    const track = await panel.page
      .locator('.bar')
      .first()
      .evaluate((bar) => bar.getBoundingClientRect().width);
    const [low, high] = (await panel.page.locator('.layer.head .axis').first().locator('i').allInnerTexts()).map(
      (text) => Number(text.replace('−', '-')),
    );
    norms.forEach((norm, i) => {
      expect(widths[i] / track).toBeCloseTo(Math.max(0.02, Math.log10(norm / low) / Math.log10(high / low)), 2);
    });
  });

  it('shows update ratios on an axis from 1e-6 to 1', async () => {
    const places = await panel.page.locator('[data-layer="0"] .ruler').evaluate((ruler) => {
      const { left, width } = ruler.getBoundingClientRect();
      return [...ruler.querySelectorAll('.point')].map((dot) => {
        const box = dot.getBoundingClientRect();
        return (box.left + box.width / 2 - left) / width;
      });
    });
    const ratios = frame.layers[0].parameters.map(({ updateRatio }) => updateRatio ?? NaN);
    places.forEach((place, i) => expect(place).toBeCloseTo((Math.log10(ratios[i]) + 6) / 6, 1));
    expect(places.length).toBe(2);
  });
});

describe('the views', () => {
  const open = async (view: string): Promise<void> => {
    await clickTab(panel.page, view);
    await panel.waitUntilDrawn();
  };

  it('Learn: loss and accuracy of the batch and of every split, and the share of its largest class', async () => {
    await open('learn');
    const { run } = host.session!;
    const row = (part: string): Locator => panel.page.locator(`.values [data-part="${part}"]`);
    expectNumbers(await numbersIn(row('batch')), [frame.loss, frame.accuracy]);
    for (const part of ['train', 'validation', 'test'] as const) {
      const { loss, accuracy } = frame.evaluation[part]!;
      const { length } = run.split[part];
      const ones = run.split[part].filter((sample) => run.dataset.targets[sample] === 1).length;
      expectNumbers(await numbersIn(row(part)), [loss, accuracy, Math.max(ones, length - ones) / length]);
    }
  });

  it('Learn: says which losses include the penalty', async () => {
    expect(await panel.page.locator('[data-penalty]').count()).toBe(0);
    const svm = new FakeHost(readExample('svm').replace('"l2": 0.005', '"l1": 0.01, "l2": 0.005'));
    const own = await openPanel(browser, svm);
    expect(svm.session?.run.model.penalty).toMatchObject({ l1: 0.01, l2: 0.005 });
    await clickTab(own.page, 'learn');
    await own.waitUntilDrawn();
    expect(await own.page.locator('[data-penalty]').textContent()).toContain('0.01 · Σ|w| + ½ · 0.005 · Σw²');
    expect(own.problems).toEqual([]);
    await svm.dispose();
    await own.page.close();
  });

  it('Shapes: what the transforms of the data learned, with every digit', async () => {
    const weather = new FakeHost(readExample('weather'));
    const own = await openPanel(browser, weather);
    await clickTab(own.page, 'shapes');
    await own.waitUntilDrawn();
    const [{ values }] = weather.session?.run.transforms ?? [];
    expect(values.map(({ name, values: all }) => [name, all.length])).toEqual([
      ['mean', 4],
      ['std', 4],
    ]);
    for (const { name, values: all } of values) {
      expectNumbers(await numbersIn(own.page.locator(`[data-fitted="standardize ${name}"]`)), [
        Math.min(...all),
        Math.max(...all),
        ...all,
      ]);
    }
    expect(own.problems).toEqual([]);
    await weather.dispose();
    await own.page.close();
  });

  it('Learn: keys, live text and table of the chart show the history’s values', async () => {
    const chart = panel.page.locator('.chart').first();
    const at = (name: string, step: number): number => {
      const data = host.history.get(name)?.data();
      return data?.low[data.steps.indexOf(step)] ?? NaN;
    };
    const names = ['loss/batch', 'loss/train', 'loss/validation', 'loss/test'];
    expectNumbers(
      await numbersIn(chart.locator('.keys')),
      names.map((name) => at(name, 20)),
    );
    const spoken = await chart.locator('canvas').getAttribute('aria-label');
    expect(spoken).toContain(
      `At step 20: batch ${formatNumber(at('loss/batch', 20))}, train ${formatNumber(at('loss/train', 20))}`,
    );
    await chart.locator('summary').click();
    await chart.locator('tbody td').first().waitFor();
    const second = chart.locator('tbody tr').filter({ has: panel.page.locator('th', { hasText: /^2$/ }) });
    expectNumbers(
      await numbersIn(second),
      names.map((name) => at(name, 2)),
    );
    await chart.getByRole('button', { name: 'Copy all' }).click();
    const copied = host.callsTo('copyText').at(-1)?.[0].split('\n') ?? [];
    expect(copied[0]).toBe('step\tbatch\ttrain\tvalidation\ttest');
    expect(copied.find((line) => line.startsWith('20\t'))).toBe(
      ['20', ...names.map((name) => formatExact(at(name, 20)))].join('\t'),
    );
    await chart.locator('summary').click();
  });

  it('Gradients: norms, sizes and ratios of every parameter', async () => {
    await open('gradients');
    for (const { name, norm, gradient, updateRatio } of frame.layers.flatMap(({ parameters }) => parameters)) {
      const row = panel.page.locator(`tr[data-parameter="${name}"]`);
      expectNumbers(await numbersIn(row), [
        norm,
        gradient?.norm,
        gradient?.meanAbsolute,
        gradient?.maxAbsolute,
        updateRatio,
      ]);
    }
  });

  it('Gradients: mean and spread by parameter and by layer, and what reaches the first layer', async () => {
    const charts = panel.page.locator('.chart');
    const layers = frame.layers.map(({ outputGradient }) => outputGradient);
    const own = frame.layers.flatMap(({ parameters }) => parameters.map(({ gradient }) => gradient));
    for (const [label, measure] of [
      ['Mean', 'mean'],
      ['Spread', 'std'],
      ['Norm', 'norm'],
    ] as const) {
      await charts.first().getByRole('button', { name: label, exact: true }).click();
      await panel.waitUntilDrawn();
      expectNumbers(
        await numbersIn(charts.first().locator('.keys')),
        own.map((gradient) => gradient?.[measure]),
      );
      await charts.first().getByRole('button', { name: 'dL/d outputs' }).click();
      await panel.waitUntilDrawn();
      expectNumbers(
        await numbersIn(charts.first().locator('.keys')),
        layers.map((gradient) => gradient?.[measure]),
      );
      await charts.first().getByRole('button', { name: 'dL/d parameters' }).click();
    }
    const weights = own.filter((_, i) => i % 2 === 0);
    expectNumbers(await numbersIn(charts.nth(3).locator('.keys')), [
      (weights[0]?.meanAbsolute ?? NaN) / (weights.at(-1)?.meanAbsolute ?? NaN),
    ]);
  });

  it('Gradients: the histogram over time counts every entry of the chosen parameter', async () => {
    const figure = panel.page.locator('.chart').nth(1);
    await figure.locator('select').selectOption('output.weight');
    await host.waitForFrame(({ queryResults }) =>
      queryResults.some(({ query }) => query.type === 'gradient_histograms' && query.parameter === 'output.weight'),
    );
    await panel.waitUntilDrawn();
    await figure.locator('summary').click();
    await figure.locator('tbody td').first().waitFor();
    const counts = (await figure.locator('tbody tr').first().locator('td').allInnerTexts()).map(Number);
    expect(await figure.locator('tbody tr').first().locator('th').innerText()).toBe('20');
    expect(counts.reduce((a, b) => a + b, 0)).toBe(
      host.session?.model.layers.find(({ name }) => name === 'output')?.parameters[0].count,
    );
    expect(await figure.locator('canvas').getAttribute('aria-label')).toContain('dL/d output.weight');
    await figure.locator('summary').click();
  });

  it('Gradients: says that a zero is not on a logarithmic axis', async () => {
    const zero = new FakeHost(readExample('circles').replace('"lr": 0.1', '"lr": 0.000000000001'));
    const other = await openPanel(browser, zero, { storedState: { view: 'gradients' } });
    await zero.requests.command({ type: 'setLearningRate', lr: 0 });
    await zero.requests.command({ type: 'step' });
    await zero.waitForFrame(({ position }) => position.step === 1);
    await other.waitUntilDrawn();
    expect(await other.page.locator('.chart').nth(2).locator('.how').innerText()).toMatch(
      /hidden\.weight.*exactly 0 here/,
    );
    expect(other.problems).toEqual([]);
    await zero.dispose();
    await other.page.close();
  });

  it('Activations: the histogram has every entry of the selected layer', async () => {
    await panel.page.locator('[data-layer="1"]').click();
    await open('activations');
    await panel.page.getByRole('button', { name: 'tanh1' }).click();
    await panel.waitUntilDrawn();
    const reading = frame.layers[1].activation;
    expect(reading).not.toBeNull();
    const chart = panel.page.locator('.chart').first();
    expectNumbers(await numbersIn(chart.locator('.keys')), [reading?.low, reading?.high, reading?.mean, reading?.std]);
    await chart.locator('summary').click();
    await chart.locator('tbody td').first().waitFor();
    const counts = await chart.locator('tbody td.number').allInnerTexts();
    expect(counts.map(Number)).toEqual([...(reading?.histogram ?? [])]);
    expect(counts.map(Number).reduce((a, b) => a + b)).toBe(frame.batchPosition.samples * 4);
  });

  it('Network: units and weights are those of the followed sample', async () => {
    await open('network');
    const frame = await host.waitForFrame(({ queryResults }) =>
      queryResults.some(({ query }) => query.type === 'network_graph'),
    );
    await panel.waitUntilDrawn();
    const { value } = frame.queryResults.find(
      ({ query }) => query.type === 'network_graph',
    ) as QueryResult<'network_graph'>;
    const view = panel.page.locator('#view-network');
    await view.locator('details.data summary').click();
    await view.locator('tbody td').first().waitFor();
    const expected =
      value?.columns.flatMap(({ shown, values, gradients }) =>
        [...shown.keys()].flatMap((i) => [values?.[i], gradients?.[i]]),
      ) ?? [];
    expectNumbers(
      await numbersIn(view.locator('tbody')),
      expected.filter((one) => one !== undefined),
    );
    // Every unit can be reached with the keyboard, and every weight into it.
    const canvas = view.locator('canvas').first();
    await canvas.focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('ArrowDown');
    await panel.waitUntilDrawn();
    const hidden = value?.columns[1];
    expectNumbers(await numbersIn(view.locator('.reading')), [
      hidden?.values?.[1] ?? NaN,
      hidden?.gradients?.[1] ?? NaN,
    ]);
    await panel.page.keyboard.press('Shift+ArrowDown');
    await panel.page.keyboard.press('Enter');
    await panel.waitUntilDrawn();
    expectNumbers(await numbersIn(view.locator('.reading')), [value?.edges[0].values?.[2] ?? NaN]);
    expect(host.callsTo('selectLayer').at(-1)).toEqual([0]);
    const history = view.locator('figure, .chart').last();
    await history.locator('.key').nth(1).waitFor();
    expectNumbers(await numbersIn(history.locator('.keys')), [value?.edges[0].values?.[2] ?? NaN]);
  });

  it('Step: the phase, its rule and its numbers; a click explains a number by terms that add up', async () => {
    await open('step');
    const frame = await host.waitForFrame(({ queryResults }) =>
      queryResults.some(({ query }) => query.type === 'step_graph'),
    );
    await panel.waitUntilDrawn();
    const view = panel.page.locator('#view-step');
    expect(await view.locator('h2').first().innerText()).toBe('update');
    expect(await view.locator('.rule .formula').count()).toBe(1);
    const { value: answer } = frame.queryResults.find(
      ({ query }) => query.type === 'step_graph',
    ) as QueryResult<'step_graph'>;
    const gradient = answer?.nodes.find(
      ({ id }) => id.of === 'parameter_gradient' && id.layer === 0 && id.parameter === 'weight',
    )?.preview;
    const shown = view.locator('.matrix').first();
    expectNumbers(await numbersIn(shown), [...(gradient?.cells ?? [])]);
    await shown.locator('button').nth(1).click();
    const asked = await host.waitForFrame(({ queryResults }) =>
      queryResults.some(({ query }) => query.type === 'attribution'),
    );
    await panel.waitUntilDrawn();
    const why = (asked.queryResults.find(({ query }) => query.type === 'attribution') as QueryResult<'attribution'>)
      .value;
    // The popover shows the largest terms at first.
    await panel.page.locator('.why .quiet').click();
    const rows = await panel.page.locator('.why tbody tr td:first-child').all();
    const terms = await Promise.all(rows.map(async (row) => Number((await numbersIn(row)).full[0])));
    expect(terms.slice(0, why?.terms.length)).toEqual(why?.terms.map(({ value }) => value));
    expect(terms.reduce((a, b) => a + b)).toBeCloseTo(gradient?.cells[1] ?? NaN, 6);
    // A term's factor is queried in turn, with a link back.
    await panel.page.locator('.why tbody .link').first().click();
    await panel.page.locator('.trail .link').waitFor();
    await panel.page.locator('.trail .link').click();
    await panel.waitUntilDrawn();
    expect(await panel.page.locator('.trail .link').count()).toBe(0);
    await panel.page.keyboard.press('Escape');
  });

  it('Fit: counts every sample, and its worst losses are those of the network', async () => {
    await open('fit');
    const frame = await host.waitForFrame(({ queryResults }) =>
      queryResults.some(({ query }) => query.type === 'predictions'),
    );
    await panel.waitUntilDrawn();
    const { value } = frame.queryResults.find(
      ({ query }) => query.type === 'predictions',
    ) as QueryResult<'predictions'>;
    const cells = await panel.page.locator('.confusion td').allInnerTexts();
    expect(cells.map(Number)).toEqual([...(value?.confusion ?? [])]);
    expect(cells.map(Number).reduce((a, b) => a + b)).toBe(host.session?.model.samples.train);
    expectNumbers(await numbersIn(panel.page.locator('.worst tbody')), value?.worst.map(({ loss }) => loss) ?? []);
    await panel.page.locator('.worst button').first().click();
    await panel.waitUntilDrawn();
    expect(await panel.storedState()).toMatchObject({ sample: value?.worst[0].sample });
  });

  it('Tensors: every cell is the tensor’s value', async () => {
    await panel.page.locator('[data-layer="0"]').click();
    await open('tensors');
    await panel.page.getByRole('button', { name: 'weight', exact: true }).click();
    await host.waitForFrame(
      ({ queryResults: [answered] }) =>
        answered?.query.type === 'tensor' &&
        answered.query.kind === 'parameter' &&
        answered.query.parameter === 'weight',
    );
    await panel.waitUntilDrawn();
    const weight = host.session?.network.parameters.find(({ name }) => name === 'hidden.weight')?.value.data;
    await panel.page.locator('.view > div:last-child summary').click();
    await panel.page.locator('.view tbody td').first().waitFor();
    expectNumbers(await numbersIn(panel.page.locator('.view tbody')), [...(weight ?? [])]);
    const canvas = panel.page.locator('.map canvas');
    await canvas.focus();
    await panel.page.keyboard.press('ArrowDown');
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('.reading').innerText()).toMatch(/^row 1, column 1:/);
    expectNumbers(await numbersIn(panel.page.locator('.reading')), [weight?.[3]]);
    await panel.page.keyboard.press('PageDown');
    await panel.page.keyboard.press('Home');
    expectNumbers(await numbersIn(panel.page.locator('.reading')), [weight?.[6]]);
    await panel.page.locator('.reading').getByRole('button', { name: 'Copy' }).click();
    expect(host.callsTo('copyText').at(-1)?.[0]).toBe(formatExact(weight?.[6] ?? NaN));
  });

  it('Check: the report of a real check, entry by entry', async () => {
    await panel.page.locator('[data-action="check"]').click();
    await panel.page.locator('.verdict').waitFor();
    const report = await host.runner.check();
    expect(report.passed).toBe(true);
    const verdict = await panel.page.locator('.verdict').innerText();
    expect(await panel.page.locator('.verdict').getAttribute('data-outcome')).toBe('passed');
    expect(verdict).toContain(`${report.counts.pass}`);
    for (const { name, worst, checked, counts } of report.parameters) {
      const row = panel.page.locator(`.checks tr[data-parameter="${name}"]`);
      expectNumbers(await numbersIn(row), [worst?.relativeError, worst?.analytic, worst?.numeric]);
      const cells = await row.locator('td.number').allInnerTexts();
      expect(cells.slice(0, 5).map(Number)).toEqual([
        checked,
        counts.pass,
        counts.wrong,
        counts.kink,
        counts.below_noise,
      ]);
    }
    await panel.page.locator('figure summary').click();
    await panel.page.locator('figure tbody td').first().waitFor();
    const points = await numbersIn(panel.page.locator('figure tbody'));
    expect(points.full.length).toBe(3 * report.checked);
    const { analytic, numeric, errorBar } = report.points;
    expect(points.full).toEqual([...analytic].flatMap((value, i) => [value, numeric[i], errorBar[i]].map(formatExact)));
  });

  it('Check: the error map of a parameter, and one of its entries, by keyboard', async () => {
    const { page } = panel;
    const ask = async <Kind extends 'check_map' | 'check_entry'>(question: Query<Kind>) =>
      (await host.runner.query(question as Query)).value as QueryValue<Kind> | null;
    await page.getByRole('combobox', { name: 'Parameter' }).selectOption('hidden.weight');
    const canvas = page.locator('.map canvas');
    await expect.poll(() => canvas.getAttribute('aria-label')).toContain('relative error of hidden.weight, 4 × 2');
    await canvas.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const map = await ask({ type: 'check_map', parameter: 'hidden.weight' });
    const reading = page.locator('.part .reading');
    expect(await reading.innerText()).toMatch(/^\[1, 1\] pass: backprop/);
    expectNumbers(await numbersIn(reading), [map?.analytic[3], map?.numeric[3], map?.errorBar[3], map?.error[3]]);
    await page.keyboard.press('Enter');
    await page.locator('.entry canvas').waitFor();
    expect(await page.locator('.entry h2').innerText()).toBe('hidden.weight [1, 1]');
    const entry = await ask({ type: 'check_entry', parameter: 'hidden.weight', index: 3, reach: 0.1 });
    if (!entry) throw new Error('no such entry');
    const { analytic, numeric, errorBar, relativeError, leftDerivative, rightDerivative, step, value, loss } = entry;
    expectNumbers(await numbersIn(page.locator('.entry .facts')), [
      analytic,
      numeric,
      errorBar,
      relativeError,
      leftDerivative,
      rightDerivative,
      step,
      value,
      loss,
    ]);
    await page.locator('.entry summary').click();
    await page.locator('.entry tbody td').first().waitFor();
    const curve = await numbersIn(page.locator('.entry tbody'));
    expect(curve.full).toEqual([...entry.curveValues].flatMap((at, i) => [at, entry.curveLosses[i]].map(formatExact)));
    await page.getByRole('button', { name: '±0.01', exact: true }).click();
    const nearer = await ask({ type: 'check_entry', parameter: 'hidden.weight', index: 3, reach: 0.01 });
    await expect
      .poll(async () => (await numbersIn(page.locator('.entry tbody'))).full[0])
      .toBe(formatExact(nearer?.curveValues[0] ?? NaN));
    await page.getByRole('button', { name: 'Close this entry' }).click();
    expect(await page.locator('.entry canvas').count()).toBe(0);
  });
});

it('Check: says why backprop is wrong', async () => {
  const failing = new FakeHost(guarded);
  const { page } = await openPanel(browser, failing);
  await clickTab(page, 'check');
  await page.locator('[data-action="check"]').click();
  await page.locator('.verdict.bad').waitFor();
  const { diagnosis } = await failing.runner.check();
  expect(diagnosis).toMatchObject({ layer: null, kind: 'bce' });
  expect(await page.locator('.diagnosis').innerText()).toBe(`Why: ${diagnosis?.sentence}`);
  await failing.dispose();
});

it('copies the whole number, not its short form', async () => {
  await panel.page.locator('[data-layer="0"] [data-gradient] [data-value]').evaluate((number) => {
    getSelection()?.selectAllChildren(number);
  });
  const text = await panel.page.evaluate(() => {
    const event = new ClipboardEvent('copy', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return event.clipboardData?.getData('text/plain');
  });
  expect(text).toBe(formatExact(frame.layers[0].outputGradient?.norm ?? NaN));
});

it('copies the selected text if the selection ends outside of the number', async () => {
  const copied = await panel.page.evaluate(() => {
    const number = document.querySelector('[data-layer="0"] [data-gradient] [data-value]');
    const text = number?.firstChild;
    if (!text) return null;
    getSelection()?.setBaseAndExtent(text, 0, document.querySelector('[data-layer="1"]') ?? document.body, 0);
    const event = new ClipboardEvent('copy', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return { isLeftToTheBrowser: !event.defaultPrevented };
  });
  expect(copied).toEqual({ isLeftToTheBrowser: true });
});

it('raises no error and violates no content security policy', () => {
  expect(panel.problems).toEqual([]);
});

it('within a step, marks values of an earlier step', async () => {
  await clickTab(panel.page, 'learn');
  await host.requests.command({ type: 'stepPhase' });
  await host.waitForFrame(({ position }) => position.phase === 1);
  await panel.waitUntilDrawn();
  const keys = panel.page.locator('.chart').first().locator('.key');
  expect(await keys.first().innerText()).toMatch(/step\s*21/);
  expect(await panel.page.locator('.chart').first().locator('.when').allInnerTexts()).toEqual([
    '@ 20',
    '@ 20',
    '@ 20',
    '@ 20',
  ]);
});

it('Network: the filters of a convolution are its weights, cell by cell', async () => {
  const images = new FakeHost(
    readExample('images')
      .replaceAll(/"out_channels": \d+/g, '"out_channels": 4')
      .replace('"out_features": 1000', '"out_features": 8'),
  );
  const other = await openPanel(browser, images, { storedState: { view: 'network' } });
  await images.requests.command({ type: 'step' });
  await images.waitForFrame(
    ({ position, queryResults }) =>
      position.step === 1 && queryResults.some(({ query, value }) => query.type === 'filters' && value),
  );
  await other.waitUntilDrawn();
  const place = other.page.locator('[aria-label^="Filters conv2d1.weight"]');
  await place.focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight'])
    await other.page.keyboard.press(key);
  const reading = other.page.locator('.reading', { hasText: 'conv2d1.weight' });
  expect(await reading.innerText()).toContain('conv2d1.weight[1, 0, 1, 1]');
  const weights = images.session?.network.parameters[0].value.data ?? [];
  expectNumbers(await numbersIn(reading), [weights[(1 * 3 * 5 + 1) * 5 + 1]]);
  expect(other.problems).toEqual([]);
  await images.dispose();
  await other.page.close();
});
