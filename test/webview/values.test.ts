// Every number on the page is the session's own number: compared digit by digit with the frame it came from.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Locator } from 'playwright-core';
import type { Answered, AnswerTo, Question } from '../../src/protocol/panel';
import type { Frame } from '../../src/session/frame';
import { formatNumber, formatShare, fullNumber } from '../../webview/numbers';
import { useBrowser } from './chromium';
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
    await host.receive({ type: 'command', command: { type: 'runToStep', step } });
    await host.until(({ position, target }) => position.step === step && target === null);
  }
  await panel.settled();
  frame = host.frame as Frame;
});

afterAll(async () => {
  await host.dispose();
});

/** All digits behind the numbers of an element, and what is shown of them. */
async function numbersIn(place: Locator): Promise<{ full: string[]; shown: string[] }> {
  const numbers = place.locator('[data-value]');
  return {
    full: await numbers.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.value ?? '')),
    shown: (await numbers.allTextContents()).map((text) => text.replaceAll('\u2007', '').trim()),
  };
}

function expectNumbers(found: { full: string[]; shown: string[] }, values: readonly (number | null | undefined)[]): void {
  expect(values.every((value) => typeof value === 'number')).toBe(true);
  expect(found.full).toEqual(values.map((value) => fullNumber(value as number)));
  expect(found.shown).toEqual(values.map((value) => formatNumber(value as number)));
}

it('shows the place in the run', async () => {
  expect(await panel.page.locator('#step').inputValue()).toBe('20');
  expect(await panel.page.locator('#lr').inputValue()).toBe('0.1');
  const { epoch, batch } = frame.place;
  expect(await panel.page.locator('[data-epoch]').getAttribute('data-epoch')).toBe(String(epoch));
  expect(await panel.page.locator('[data-batch]').innerText()).toBe(`batch ${batch}/8`);
  expect(await panel.page.locator('.phase').innerText()).toBe('update');
});

describe('the layer list', () => {
  it('has a row a layer, from input to loss', async () => {
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
      expectNumbers(await numbersIn(row.locator('[data-ratio]')), [Math.max(...parameters.map(({ updateRatio }) => updateRatio ?? NaN))]);
    }
  });

  it('has a badge exactly where units are idle', async () => {
    for (const [layer, { activation }] of frame.layers.entries()) {
      const badge = panel.page.locator(`[data-layer="${layer}"] .badge`);
      const idle = activation?.idle ?? 0;
      expect(await badge.count()).toBe(idle > 0 ? 1 : 0);
      if (idle > 0) expect(await badge.innerText()).toContain(formatShare(idle));
    }
  });

  it('has the loss of the batch', async () => {
    expectNumbers(await numbersIn(panel.page.locator('.layers [data-loss]')), [frame.loss]);
  });

  it('draws gradient norms as bars on one logarithmic axis', async () => {
    const widths = await panel.page.locator('.bar i').evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
    const norms = frame.layers.map(({ outputGradient }) => outputGradient?.norm ?? NaN);
    const track = await panel.page.locator('.bar').first().evaluate((bar) => bar.getBoundingClientRect().width);
    const [low, high] = (await panel.page.locator('.layer.head .axis').first().locator('i').allInnerTexts()).map((text) => Number(text.replace('−', '-')));
    norms.forEach((norm, i) => {
      expect(widths[i] / track).toBeCloseTo(Math.max(0.02, Math.log10(norm / low) / Math.log10(high / low)), 2);
    });
  });

  it('puts update ratios on their ruler from 1e-6 to 1', async () => {
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
    await panel.page.locator(`#tab-${view}`).click();
    await panel.settled();
  };

  it('Learn: loss and accuracy of the batch and of every part', async () => {
    await open('learn');
    const row = (part: string): Locator => panel.page.locator(`.values [data-part="${part}"]`);
    expectNumbers(await numbersIn(row('batch')), [frame.loss, frame.accuracy]);
    for (const part of ['train', 'validation', 'test'] as const) {
      expectNumbers(await numbersIn(row(part)), [frame.evaluation[part]?.loss, frame.evaluation[part]?.accuracy]);
    }
  });

  it('Learn: says which losses a penalty is part of', async () => {
    expect(await panel.page.locator('[data-penalty]').count()).toBe(0);
    const svm = new FakeHost(readExample('svm').replace('"l2": 0.005', '"l1": 0.01, "l2": 0.005'));
    const own = await openPanel(browser, svm);
    expect(svm.session?.run.model.penalty).toMatchObject({ l1: 0.01, l2: 0.005 });
    await own.page.locator('#tab-learn').click();
    await own.settled();
    expect(await own.page.locator('[data-penalty]').textContent()).toContain('with the penalty 0.01 · Σ|w| + ½ · 0.005 · Σw²; the losses of whole parts are without it.');
    expect(own.problems).toEqual([]);
    await svm.dispose();
    await own.page.close();
  });

  it('Shapes: what the transforms of the data learned, to every digit', async () => {
    const weather = new FakeHost(readExample('weather'));
    const own = await openPanel(browser, weather);
    await own.page.locator('#tab-shapes').click();
    await own.settled();
    const [{ values }] = weather.session?.run.transforms ?? [];
    expect(values.map(({ name, values: all }) => [name, all.length])).toEqual([['mean', 4], ['std', 4]]);
    for (const { name, values: all } of values) {
      expectNumbers(await numbersIn(own.page.locator(`[data-fitted="standardize ${name}"]`)), [Math.min(...all), Math.max(...all), ...all]);
    }
    expect(own.problems).toEqual([]);
    await weather.dispose();
    await own.page.close();
  });

  it('Learn: the chart’s keys, live text and table are the history’s values', async () => {
    const chart = panel.page.locator('.chart').first();
    const at = (name: string, step: number): number => {
      const data = host.history.get(name)?.data();
      return data?.low[data.steps.indexOf(step)] ?? NaN;
    };
    const names = ['loss/batch', 'loss/train', 'loss/validation', 'loss/test'];
    expectNumbers(await numbersIn(chart.locator('.keys')), names.map((name) => at(name, 20)));
    const spoken = await chart.locator('canvas').getAttribute('aria-label');
    expect(spoken).toContain(`At step 20: batch ${formatNumber(at('loss/batch', 20))}, train ${formatNumber(at('loss/train', 20))}`);
    await chart.locator('summary').click();
    await chart.locator('tbody td').first().waitFor();
    const second = chart.locator('tbody tr').filter({ has: panel.page.locator('th', { hasText: /^2$/ }) });
    expectNumbers(await numbersIn(second), names.map((name) => at(name, 2)));
    await chart.getByRole('button', { name: 'Copy all' }).click();
    const copied = host.of('copy').at(-1)?.text.split('\n') ?? [];
    expect(copied[0]).toBe('step\tbatch\ttrain\tvalidation\ttest');
    expect(copied.find((line) => line.startsWith('20\t'))).toBe(['20', ...names.map((name) => fullNumber(at(name, 20)))].join('\t'));
    await chart.locator('summary').click();
  });

  it('Gradients: norms, sizes and ratios of every parameter', async () => {
    await open('gradients');
    for (const { name, norm, gradient, updateRatio } of frame.layers.flatMap(({ parameters }) => parameters)) {
      const row = panel.page.locator(`tr[data-parameter="${name}"]`);
      expectNumbers(await numbersIn(row), [norm, gradient?.norm, gradient?.meanAbsolute, gradient?.maxAbsolute, updateRatio]);
    }
  });

  it('Gradients: mean and spread by parameter and by layer, and what reaches the first layer', async () => {
    const charts = panel.page.locator('.chart');
    const layers = frame.layers.map(({ outputGradient }) => outputGradient);
    const own = frame.layers.flatMap(({ parameters }) => parameters.map(({ gradient }) => gradient));
    for (const [label, measure] of [['Mean', 'mean'], ['Spread', 'std'], ['Norm', 'norm']] as const) {
      await charts.first().getByRole('button', { name: label, exact: true }).click();
      await panel.settled();
      expectNumbers(await numbersIn(charts.first().locator('.keys')), own.map((gradient) => gradient?.[measure]));
      await charts.first().getByRole('button', { name: 'dL/d outputs' }).click();
      await panel.settled();
      expectNumbers(await numbersIn(charts.first().locator('.keys')), layers.map((gradient) => gradient?.[measure]));
      await charts.first().getByRole('button', { name: 'dL/d parameters' }).click();
    }
    const weights = own.filter((_, i) => i % 2 === 0);
    expectNumbers(await numbersIn(charts.nth(3).locator('.keys')), [(weights[0]?.meanAbsolute ?? NaN) / (weights.at(-1)?.meanAbsolute ?? NaN)]);
  });

  it('Gradients: the spread over time counts every entry of the chosen parameter', async () => {
    const figure = panel.page.locator('.chart').nth(1);
    await figure.locator('select').selectOption('output.weight');
    await host.until(({ answers }) => answers.some(({ question }) => question.about === 'ridges' && question.parameter === 'output.weight'));
    await panel.settled();
    await figure.locator('summary').click();
    await figure.locator('tbody td').first().waitFor();
    const counts = (await figure.locator('tbody tr').first().locator('td').allInnerTexts()).map(Number);
    expect(await figure.locator('tbody tr').first().locator('th').innerText()).toBe('20');
    expect(counts.reduce((a, b) => a + b, 0)).toBe(host.session?.model.layers.find(({ name }) => name === 'output')?.parameters[0].count);
    expect(await figure.locator('canvas').getAttribute('aria-label')).toContain('dL/d output.weight');
    await figure.locator('summary').click();
  });

  it('Gradients: a zero has no place on a logarithmic axis, and that is said', async () => {
    const zero = new FakeHost(readExample('circles').replace('"lr": 0.1', '"lr": 0.000000000001'));
    const other = await openPanel(browser, zero, { kept: { view: 'gradients' } });
    await zero.receive({ type: 'command', command: { type: 'setLearningRate', lr: 0 } });
    await zero.receive({ type: 'command', command: { type: 'step' } });
    await zero.until(({ position }) => position.step === 1);
    await other.settled();
    expect(await other.page.locator('.chart').nth(2).locator('.how').innerText()).toMatch(/hidden\.weight.*exactly 0 here/);
    expect(other.problems).toEqual([]);
    await zero.dispose();
    await other.page.close();
  });

  it('Activations: the histogram has every entry of the selected layer', async () => {
    await panel.page.locator('[data-layer="1"]').click();
    await open('activations');
    await panel.page.getByRole('button', { name: 'tanh1' }).click();
    await panel.settled();
    const reading = frame.layers[1].activation;
    expect(reading).not.toBeNull();
    const chart = panel.page.locator('.chart').first();
    expectNumbers(await numbersIn(chart.locator('.keys')), [reading?.low, reading?.high, reading?.mean, reading?.std]);
    await chart.locator('summary').click();
    await chart.locator('tbody td').first().waitFor();
    const counts = await chart.locator('tbody td.number').allInnerTexts();
    expect(counts.map(Number)).toEqual([...(reading?.histogram ?? [])]);
    expect(counts.map(Number).reduce((a, b) => a + b)).toBe(frame.place.samples * 4);
  });

  it('Network: units and weights are those of the sample that is followed', async () => {
    await open('network');
    const frame = await host.until(({ answers }) => answers.some(({ question }) => question.about === 'picture'));
    await panel.settled();
    const { answer } = frame.answers.find(({ question }) => question.about === 'picture') as Answered<'picture'>;
    const view = panel.page.locator('#view-network');
    await view.locator('details.data summary').click();
    await view.locator('tbody td').first().waitFor();
    const expected = answer?.columns.flatMap(({ shown, values, gradients }) => [...shown.keys()].flatMap((i) => [values?.[i], gradients?.[i]])) ?? [];
    expectNumbers(await numbersIn(view.locator('tbody')), expected.filter((one) => one !== undefined));
    // Every unit can be reached by the keys, and every weight into it.
    const canvas = view.locator('canvas').first();
    await canvas.focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('ArrowDown');
    await panel.settled();
    const hidden = answer?.columns[1];
    expectNumbers(await numbersIn(view.locator('.reading')), [hidden?.values?.[1] ?? NaN, hidden?.gradients?.[1] ?? NaN]);
    await panel.page.keyboard.press('Shift+ArrowDown');
    await panel.page.keyboard.press('Enter');
    await panel.settled();
    expectNumbers(await numbersIn(view.locator('.reading')), [answer?.edges[0].values?.[2] ?? NaN]);
    expect(host.of('select').at(-1)).toEqual({ type: 'select', layer: 0 });
    const history = view.locator('figure, .chart').last();
    await history.locator('.key').nth(1).waitFor();
    expectNumbers(await numbersIn(history.locator('.keys')), [answer?.edges[0].values?.[2] ?? NaN]);
  });

  it('Step: the phase, its rule and its numbers; a click says why, and the terms add up', async () => {
    await open('step');
    const frame = await host.until(({ answers }) => answers.some(({ question }) => question.about === 'nodes'));
    await panel.settled();
    const view = panel.page.locator('#view-step');
    expect(await view.locator('h2').first().innerText()).toBe('update');
    expect(await view.locator('.rule math').count()).toBe(1);
    const { answer } = frame.answers.find(({ question }) => question.about === 'nodes') as Answered<'nodes'>;
    const gradient = answer?.nodes.find(({ id }) => id.of === 'parameter_gradient' && id.layer === 0 && id.parameter === 'weight')?.corner;
    const shown = view.locator('.matrix').first();
    expectNumbers(await numbersIn(shown), [...(gradient?.cells ?? [])]);
    await shown.locator('button').nth(1).click();
    const asked = await host.until(({ answers }) => answers.some(({ question }) => question.about === 'why'));
    await panel.settled();
    const why = (asked.answers.find(({ question }) => question.about === 'why') as Answered<'why'>).answer;
    const rows = await view.locator('.why tbody tr td:first-child').all();
    const terms = await Promise.all(rows.map(async (row) => Number((await numbersIn(row)).full[0])));
    expect(terms.slice(0, why?.terms.length)).toEqual(why?.terms.map(({ value }) => value));
    expect(terms.reduce((a, b) => a + b)).toBeCloseTo(gradient?.cells[1] ?? NaN, 6);
    // A term's factor is asked about in turn; the way back is there.
    await view.locator('.why tbody .link').first().click();
    await view.locator('.trail .link').waitFor();
    await view.locator('.trail .link').click();
    await panel.settled();
    expect(await view.locator('.trail .link').count()).toBe(0);
  });

  it('Fit: every sample counted, and the worst losses, are those of the network', async () => {
    await open('fit');
    const frame = await host.until(({ answers }) => answers.some(({ question }) => question.about === 'predictions'));
    await panel.settled();
    const { answer } = frame.answers.find(({ question }) => question.about === 'predictions') as Answered<'predictions'>;
    const cells = await panel.page.locator('.confusion td').allInnerTexts();
    expect(cells.map(Number)).toEqual([...(answer?.confusion ?? [])]);
    expect(cells.map(Number).reduce((a, b) => a + b)).toBe(host.session?.model.samples.train);
    expectNumbers(await numbersIn(panel.page.locator('.worst tbody')), answer?.worst.map(({ loss }) => loss) ?? []);
    await panel.page.locator('.worst button').first().click();
    await panel.settled();
    expect(await panel.state()).toMatchObject({ sample: answer?.worst[0].sample });
  });

  it('Tensors: every cell is the tensor’s value', async () => {
    await panel.page.locator('[data-layer="0"]').click();
    await open('tensors');
    await panel.page.getByRole('button', { name: 'weight', exact: true }).click();
    await host.until(({ answers: [answered] }) => answered?.question.about === 'tensor' && answered.question.kind === 'parameter' && answered.question.parameter === 'weight');
    await panel.settled();
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
    expect(host.of('copy').at(-1)?.text).toBe(fullNumber(weight?.[6] ?? NaN));
  });

  it('Check: the report of a real check, entry by entry', async () => {
    await panel.page.locator('[data-action="check"]').click();
    await panel.page.locator('.verdict').waitFor();
    const report = await host.runner.check();
    expect(report.passed).toBe(true);
    const verdict = await panel.page.locator('.verdict').innerText();
    expect(verdict).toContain(`Backprop is right: all ${report.counts.pass} entries compared agree`);
    for (const { name, worst, checked, counts } of report.parameters) {
      const row = panel.page.locator(`.checks tr[data-parameter="${name}"]`);
      expectNumbers(await numbersIn(row), [worst?.relativeError, worst?.analytic, worst?.numeric]);
      const cells = await row.locator('td.number').allInnerTexts();
      expect(cells.slice(0, 5).map(Number)).toEqual([checked, counts.pass, counts.wrong, counts.kink, counts.below_noise]);
    }
    await panel.page.locator('figure summary').click();
    await panel.page.locator('figure tbody td').first().waitFor();
    const points = await numbersIn(panel.page.locator('figure tbody'));
    expect(points.full.length).toBe(3 * report.checked);
    const { analytic, numeric, bar } = report.points;
    expect(points.full).toEqual([...analytic].flatMap((value, i) => [value, numeric[i], bar[i]].map(fullNumber)));
  });

  it('Check: the map of a parameter, and an entry of it, by keyboard', async () => {
    const { page } = panel;
    const ask = async <Kind extends 'check_map' | 'check_entry'>(question: Question<Kind>) => (await host.runner.ask(question as Question)).answer as AnswerTo<Kind> | null;
    await page.getByRole('combobox', { name: 'Parameter' }).selectOption('hidden.weight');
    const canvas = page.locator('.map canvas');
    await expect.poll(() => canvas.getAttribute('aria-label')).toContain('relative error of hidden.weight, 4 × 2');
    await canvas.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const map = await ask({ about: 'check_map', parameter: 'hidden.weight' });
    const reading = page.locator('.part .reading');
    expect(await reading.innerText()).toMatch(/^\[1, 1\] pass: backprop/);
    expectNumbers(await numbersIn(reading), [map?.analytic[3], map?.numeric[3], map?.bar[3], map?.error[3]]);
    await page.keyboard.press('Enter');
    await page.locator('.entry canvas').waitFor();
    expect(await page.locator('.entry h2').innerText()).toBe('hidden.weight [1, 1]');
    const entry = await ask({ about: 'check_entry', parameter: 'hidden.weight', index: 3, reach: 0.1 });
    if (!entry) throw new Error('no such entry');
    const { analytic, numeric, bar, relativeError, left, right, step, value, loss } = entry;
    expectNumbers(await numbersIn(page.locator('.entry .facts')), [analytic, numeric, bar, relativeError, left, right, step, value, loss]);
    await page.locator('.entry summary').click();
    await page.locator('.entry tbody td').first().waitFor();
    const curve = await numbersIn(page.locator('.entry tbody'));
    expect(curve.full).toEqual([...entry.at].flatMap((at, i) => [at, entry.losses[i]].map(fullNumber)));
    await page.getByRole('button', { name: '±0.01', exact: true }).click();
    const nearer = await ask({ about: 'check_entry', parameter: 'hidden.weight', index: 3, reach: 0.01 });
    await expect.poll(async () => (await numbersIn(page.locator('.entry tbody'))).full[0]).toBe(fullNumber(nearer?.at[0] ?? NaN));
    await page.getByRole('button', { name: 'Close this entry' }).click();
    expect(await page.locator('.entry canvas').count()).toBe(0);
  });
});

it('Check: says why where backprop is wrong', async () => {
  const failing = new FakeHost(guarded);
  const { page } = await openPanel(browser, failing);
  await page.getByRole('tab', { name: 'Check' }).click();
  await page.locator('[data-action="check"]').click();
  await page.locator('.verdict.bad').waitFor();
  const { diagnosis } = await failing.runner.check();
  expect(diagnosis).toMatchObject({ layer: null, kind: 'bce' });
  expect(await page.locator('.diagnosis').innerText()).toBe(`Why: ${diagnosis?.sentence}`);
  await failing.dispose();
});

it('copies the whole number, not what is shown of it', async () => {
  await panel.page.locator('[data-layer="0"] [data-gradient] [data-value]').evaluate((number) => {
    getSelection()?.selectAllChildren(number);
  });
  const text = await panel.page.evaluate(() => {
    const event = new ClipboardEvent('copy', { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return event.clipboardData?.getData('text/plain');
  });
  expect(text).toBe(fullNumber(frame.layers[0].outputGradient?.norm ?? NaN));
});

it('raised no error and broke no rule of the page', () => {
  expect(panel.problems).toEqual([]);
});

it('within a step, earlier values are said to be of an earlier step', async () => {
  await panel.page.locator('#tab-learn').click();
  await host.receive({ type: 'command', command: { type: 'stepPhase' } });
  await host.until(({ position }) => position.phase === 1);
  await panel.settled();
  const keys = panel.page.locator('.chart').first().locator('.key');
  expect(await keys.first().innerText()).toMatch(/step\s*21/);
  expect(await panel.page.locator('.chart').first().locator('.when').allInnerTexts()).toEqual(['@ 20', '@ 20', '@ 20', '@ 20']);
});

it('Network: the filters of a convolution are its weights, cell by cell', async () => {
  const images = new FakeHost(readExample('images').replaceAll(/"out_channels": \d+/g, '"out_channels": 4').replace('"out_features": 1000', '"out_features": 8'));
  const other = await openPanel(browser, images, { kept: { view: 'network' } });
  await images.receive({ type: 'command', command: { type: 'step' } });
  await images.until(({ position, answers }) => position.step === 1 && answers.some(({ question, answer }) => question.about === 'filters' && answer));
  await other.settled();
  const place = other.page.locator('[aria-label^="Filters conv2d1.weight"]');
  await place.focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight']) await other.page.keyboard.press(key);
  const reading = other.page.locator('.reading', { hasText: 'conv2d1.weight' });
  expect(await reading.innerText()).toContain('conv2d1.weight[1, 0, 1, 1]');
  const weights = images.session?.network.parameters[0].value.data ?? [];
  expectNumbers(await numbersIn(reading), [weights[(1 * 3 * 5 + 1) * 5 + 1]]);
  expect(other.problems).toEqual([]);
  await images.dispose();
  await other.page.close();
});
