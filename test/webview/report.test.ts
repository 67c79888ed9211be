// The report in a real Chromium, opened from a file without a network: its numbers are the engine's, nothing in it
// runs, names are plain text, and it is readable in light, dark and on paper.
import type { Frame } from '../../src/protocol/frame';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportHtml } from '../../src/report/report-html';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { FakeHost, readExample } from './harness/host';
import { diverging } from './harness/specs';

const HOSTILE = '<script>window.ran=1</script><img src=x onerror=window.ran=1>"\' \u202Etxet\0&lt;';

const browser = useBrowser();
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'report-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
});

/** Trains, and builds the report at that position. */
async function make(
  text: string,
  {
    steps,
    check = true,
    edit = (page: string) => page,
  }: { steps: number; check?: boolean; edit?: (page: string) => string },
) {
  const host = new FakeHost(text);
  host.runner.subscribe(['activations', 'gradients', 'updates'], []);
  await host.runner.command({ type: 'runToStep', step: steps });
  const frame = await host.waitForFrame(
    ({ position, status, target }) => target === null && (position.step === steps || status === 'diverged'),
  );
  const { session } = host;
  if (!session) throw new Error('no session');
  const report = check ? await host.runner.check() : null;
  const page = reportHtml({
    file: 'circles.nabla.json',
    text,
    version: '1.2.3',
    model: session.model,
    frame,
    layerStats: frame.layers,
    history: host.history.data(),
    check: report,
    findings: [{ severity: 'warning', message: HOSTILE, remedy: 'Give it another name.', line: 3 }],
  });
  await host.dispose();
  return { page: edit(page), frame, report, session };
}

async function show(html: string): Promise<{ page: Page; problems: string[]; requests: string[] }> {
  const file = join(folder, 'report.html');
  writeFileSync(file, html);
  const { page, problems } = await browser.newPage({ viewport: { width: 1000, height: 1400 } });
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('dialog', () => problems.push('a dialog'));
  await page.context().setOffline(true);
  await page.goto(pathToFileURL(file).href);
  return { page, problems, requests };
}

const values = (page: Page, selector: string): Promise<(number | null)[][]> =>
  page.locator(selector).evaluateAll((rows) =>
    rows.map((row) =>
      [...row.querySelectorAll('td:not(.text)')].map((cell) => {
        const value = cell.querySelector('data')?.getAttribute('value') ?? null;
        return value === null ? null : Number(value);
      }),
    ),
  );

describe('the report of a trained run', () => {
  let shown: Awaited<ReturnType<typeof show>>;
  let made: Awaited<ReturnType<typeof make>>;
  let frame: Frame;
  beforeAll(async () => {
    made = await make(readExample('circles'), { steps: 120 });
    ({ frame } = made);
    shown = await show(made.page);
  });
  afterAll(() => shown.page.close());

  it('has the engine’s numbers, to the last digit', async () => {
    expect(await values(shown.page, '[data-layer]')).toEqual(
      frame.layers.map(({ activation, outputGradient }) => [
        activation?.mean,
        activation?.std,
        activation?.low,
        activation?.high,
        activation?.idle ?? null,
        outputGradient?.norm,
      ]),
    );
    expect(await values(shown.page, '[data-parameter]')).toEqual(
      frame.layers.flatMap(({ parameters }) =>
        parameters.map(({ norm, gradient, updateRatio }) => [
          norm,
          gradient?.norm,
          gradient?.meanAbsolute,
          gradient?.maxAbsolute,
          updateRatio,
        ]),
      ),
    );
    expect((await values(shown.page, '[data-check]')).map(([checked, pass, wrong]) => [checked, pass, wrong])).toEqual(
      made.report?.parameters.map(({ checked, counts }) => [checked, counts.pass, counts.wrong]),
    );
    const facts = await shown.page.locator('dl').innerText();
    for (const fact of [made.session.model.backend, made.session.model.precision, '120']) expect(facts).toContain(fact);
    expect(await shown.page.locator('h1 + p').innerText()).toContain('Nablascope 1.2.3');
    expect(await shown.page.locator('pre').textContent()).toBe(readExample('circles'));
  });

  it('draws the loss at the right positions', async () => {
    const path = await shown.page
      .locator('figure')
      .first()
      .locator('svg')
      .first()
      .locator('path.line')
      .first()
      .getAttribute('d');
    const ys = [...(path ?? '').matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
    // The loss falls: its first point is above its last one, and both are inside the figure.
    expect(ys[0]).toBeLessThan(ys[ys.length - 1]);
    for (const y of ys) expect(y >= 10 && y <= 206).toBe(true);
    expect(await shown.page.locator('figure').count()).toBe(4);
  });

  it('loads nothing, runs nothing, and contains no element that could', async () => {
    expect(shown.problems).toEqual([]);
    expect(shown.requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
    expect(
      await shown.page.locator('script, iframe, object, embed, img, link, form, [style], [onload], [onerror]').count(),
    ).toBe(0);
    expect(
      await shown.page
        .locator('style')
        .evaluate((element) => (element as HTMLStyleElement).sheet?.cssRules.length ?? 0),
    ).toBeGreaterThan(10);
    expect(await shown.page.locator('li').last().innerText()).toContain('Give it another name.');
  });

  it.each(['light', 'dark'] as const)('the accessibility checker finds nothing in %s', async (colorScheme) => {
    const { page } = shown;
    await page.setViewportSize({ width: 1000, height: 1400 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join('test/screenshots', `report-${colorScheme}.png`), fullPage: true });
    expect(await axeViolations(page)).toEqual([]);
    for (const width of [1000, 320]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });

  it('is light on paper, with nothing cut off', async () => {
    const { page } = shown;
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)');
    await page.setViewportSize({ width: 720, height: 1000 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(720);
    await page.screenshot({ path: 'test/screenshots/report-print.png', fullPage: true });
    await page.emulateMedia({ colorScheme: null, media: null });
  });
});

it('shows hostile names as plain text, isolated from the text after them', async () => {
  const hostile = JSON.stringify(HOSTILE);
  const text = `{ "name": ${hostile}, "data": "circles", "layers": [{ "type": "linear", "out_features": 2, "name": "a\\u202Eb<b>c" }], "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 } } // </pre>${HOSTILE.replace(/\0/g, '')}`;
  const { page: html } = await make(text, { steps: 3 });
  const { page, problems } = await show(html);
  expect(problems).toEqual([]);
  expect(await page.evaluate(() => (globalThis as unknown as { ran?: number }).ran)).toBeUndefined();
  expect(await page.locator('script, img, main b').count()).toBe(0);
  expect(await page.locator('h1').textContent()).toBe(HOSTILE.replace('\0', '\uFFFD'));
  expect(await page.locator('pre').textContent()).toBe(text);
  for (const of of await page.locator('bdi').all())
    expect(await of.evaluate((element) => getComputedStyle(element).unicodeBidi)).toBe('isolate');
  await page.close();
});

it('of an unfinished run says its step, and that it is partial', async () => {
  const { page: middle } = await make(readExample('circles'), { steps: 120, check: false });
  const shown = await show(middle);
  expect(await shown.page.locator('.partial').innerText()).toBe('Unfinished run: 120 of its 800 steps were done.');
  await shown.page.close();
  const finished = readExample('xor')
    .replace(/"epochs": \d+/, '"epochs": 2')
    .replace(/"batch_size": [^,\n]+/, '"batch_size": "full"');
  const whole = await make(finished, { steps: 2, check: false });
  expect(whole.page).not.toContain('class="partial"');
});

it('of a diverged run says where it diverged', async () => {
  const { page: html, frame } = await make(diverging, { steps: 400, check: false });
  expect(frame.nonFinite).not.toBeNull();
  const { page } = await show(html);
  expect(await page.locator('p.bad').innerText()).toContain(`step ${frame.nonFinite?.step ?? -1}`);
  expect(await page.locator('main').innerText()).toContain('The gradients of this run were not checked.');
  await page.close();
});
