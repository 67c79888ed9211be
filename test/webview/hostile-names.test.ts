// 500 hostile names in every place of a spec that takes a name: plain text in every view, no elements, and
// bidirectional marks do not affect the surrounding text.
import { escapeControls } from '../../src/protocol/escape-controls';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { names } from '../support/hostile-names';
import { useBrowser } from './chromium';
import { clickTab, viewsOf } from './harness/every-view';
import { FakeHost } from './harness/host';
import { openPanel } from './harness/page';

/** Layers and classes with these names, from which parameter names follow. */
const specOf = (layers: readonly string[], classes: readonly string[]): string =>
  JSON.stringify({
    name: layers[0],
    data: {
      type: 'inline',
      inputs: classes.map((_, i) => [i / 10, -i / 10]),
      labels: [...classes],
      classes: [...classes],
      feature_names: layers.slice(1, 3),
    },
    layers: [
      ...layers
        .slice(0, -1)
        .map((name, i) => (i % 2 ? { type: 'tanh', name } : { type: 'linear', out_features: 2, name })),
      { type: 'linear', out_features: classes.length, name: layers[layers.length - 1] },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.01 },
    batch_size: classes.length,
    epochs: 5,
  });

const browser = useBrowser();
it('there are 500 names', () => expect(names.length).toBe(500));

/** Unpaired surrogates do not survive the transfer from the browser. */
const whole = (text: string): string => Buffer.from(text).toString();

/** An apostrophe keeps a spreadsheet from reading a name as a formula; otherwise the name is unchanged. */
const asCsvGivesBack = (text: string): string => (text.startsWith("'") ? text.slice(1) : text);

const GROUPS = 5;
describe.each(Array.from({ length: GROUPS }, (_, i) => i))('part %s of them', (part) => {
  it('is plain text in every view', async () => {
    const own = names.slice((part * 500) / GROUPS, ((part + 1) * 500) / GROUPS);
    const [layers, classes] = [own.filter((_, i) => i % 5 < 3), own.filter((_, i) => i % 5 >= 3)];
    const host = new FakeHost(specOf(layers, classes), { file: `${own[1]}.nabla.json` });
    await host.runner.command({ type: 'runToStep', step: 3 });
    await host.waitForFrame(({ position, target }) => position.step === 3 && target === null);
    const panel = await openPanel(browser, host, { width: 1400, height: 900 });
    const { page } = panel;
    const outside: string[] = [];
    page.on('dialog', (dialog) => outside.push(dialog.message()));
    page.on('request', (request) => outside.push(request.url()));
    const problems = own
      .slice(0, 20)
      .map(
        (name, i) => ({ severity: 'warning', message: name, remedy: `“${name}”?`, line: i + 1, column: 1 }) as const,
      );
    await panel.send({ type: 'problems', problems });
    for (const name of own.slice(0, 3)) await panel.send({ type: 'notice', level: 'info', text: name });
    const views = await viewsOf(page);
    for (const view of views) {
      await clickTab(page, view);
      if (view === 'check') {
        await page.locator('[data-action="check"]').evaluate((button: HTMLElement) => button.click());
        await page.locator('.verdict').waitFor();
      }
      await panel.waitUntilDrawn();
      await page.locator('.view summary').evaluateAll((all) => {
        for (const each of all) (each as HTMLElement).click();
      });
      await panel.waitUntilDrawn();
      const found = await page.evaluate(lookForTrouble);
      expect({ view, ...found }).toEqual({ view, elements: [], turned: [], broken: undefined });
    }
    // Class names and column names of exports are restored by a CSV reader.
    await clickTab(page, 'gradients');
    await panel.waitUntilDrawn();
    await page
      .locator('.view .chart details')
      .first()
      .evaluate((table: HTMLDetailsElement) => (table.open = true));
    await page
      .locator('.view .chart .export-actions')
      .first()
      .getByRole('button', { name: 'Save CSV…' })
      .evaluate((button: HTMLElement) => button.click());
    const taken = host.callsTo('saveFile').at(-1)?.[0];
    const [heads, ...rows] = Papa.parse<string[]>((taken?.content ?? '').replace('\uFEFF', '').replace(/\r\n$/, ''), {
      newline: '\r\n',
    }).data;
    const columns = host.session?.model.layers.flatMap(({ parameters }) => parameters.map(({ name }) => name)) ?? [];
    expect(heads.map(whole).map(asCsvGivesBack)).toEqual(['step', ...columns.map(whole)].map(asCsvGivesBack));
    expect(rows.every((row) => row.length === heads.length)).toBe(true);
    await clickTab(page, 'fit');
    await page.locator('.confusion tbody th').first().waitFor({ state: 'attached' });
    const called = await page
      .locator('.confusion tbody th')
      .evaluateAll((all) => all.map(({ textContent }) => textContent));
    expect(called.map((name) => whole(name ?? ''))).toEqual(classes.map(escapeControls).map(whole));
    const shown = await page.locator('.layers .name b').evaluateAll((all) => all.map(({ textContent }) => textContent));
    // The page's parser never sees them: they arrive as sent, except for unpaired surrogates.
    expect(shown.map((name) => whole(name ?? ''))).toEqual(layers.map(whole));
    expect(outside.filter((each) => !each.startsWith('http://panel.test/'))).toEqual([]);
    expect(panel.problems).toEqual([]);
    await host.dispose();
    await page.close();
  });
});

/** Runs in the page: finds unexpected elements, and text that bidirectional marks have reordered. */
function lookForTrouble(): { elements: string[]; turned: string[]; broken: unknown } {
  const panel = document.getElementById('panel') as HTMLElement;
  const elements = [
    ...panel.querySelectorAll(
      'script, iframe, img, style, base, meta, object, embed, form, link, [onerror], [onload], [onclick], [onmouseover], [style*="display:none"]',
    ),
  ].map(({ outerHTML }) => outerHTML.slice(0, 200));
  const marks = /[\u202A-\u202E\u2066-\u2069]/;
  const turned = new Set<string>();
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent ?? '';
    if (!marks.test(text)) continue;
    let element = node.parentElement as HTMLElement;
    if (element.tagName === 'OPTION' || element.checkVisibility() === false) continue;
    while (
      !/isolate|plaintext/.test(getComputedStyle(element).unicodeBidi) &&
      getComputedStyle(element).display.startsWith('inline')
    )
      element = element.parentElement as HTMLElement;
    // Letters and digits of the page in the same run of text would be reordered too.
    const others = [...element.childNodes]
      .filter((child) => child !== node && child.nodeType === Node.TEXT_NODE)
      .map(({ textContent }) => textContent ?? '');
    if (others.some((other) => /[\p{L}\p{N}]/u.test(other)))
      turned.add(`${element.tagName}.${element.className}: ${others.join('|').trim().slice(0, 80)}`);
  }
  return { elements, turned: [...turned], broken: (globalThis as unknown as { broken?: unknown }).broken };
}
