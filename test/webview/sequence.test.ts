// The view Sequence: tokens and predictions, attention by head, and generated text, as the session computes them.
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import { useBrowser } from './chromium';
import { axeViolations } from './harness/axe';
import { clickTab } from './harness/every-view';
import { examples, FakeHost, readExample } from './harness/host';
import { openOwnPanel, type OwnPanel, type PageOptions, themeNames } from './harness/page';

const browser = useBrowser();

async function shown(options: PageOptions = {}): Promise<OwnPanel & { readonly host: FakeHost }> {
  const host = new FakeHost(readExample('char-gpt'), { folder: examples });
  const own = await openOwnPanel(browser, host, { height: 1200, ...options });
  await host.requests.command({ type: 'runToStep', step: 3 });
  await host.waitForFrame(({ position, target }) => position.step === 3 && target === null);
  await clickTab(own.panel.page, 'sequence');
  await own.panel.waitUntilDrawn();
  return { ...own, host };
}

describe('a text', () => {
  it('is shown position by position, with attention and its continuation', async () => {
    const { panel, host, close } = await shown();
    const { page } = panel;
    await page.locator('.tokens tbody tr').first().waitFor();
    const { positions, inputs, attention } = runQuery(host.session!, {
      type: 'sequence',
      sample: null,
      layer: 3,
    }).value!;
    const cells = await page.locator('.tokens tbody tr').evaluateAll((rows) =>
      rows.map((row) => ({
        tokens: [...row.querySelectorAll('td:not(.likeliest) .token')].map(
          (token) => (token as HTMLElement).dataset.token,
        ),
        probability: row.querySelector<HTMLElement>('[data-value]')?.dataset.value,
      })),
    );
    expect(cells).toEqual(
      positions!.map(({ target, probability }, i) => ({
        tokens: [inputs![i], target],
        probability: String(probability),
      })),
    );

    // The cursor reads the weight of the first head's second query for its first key.
    await page.locator('.map canvas').focus();
    await page.keyboard.press('ArrowDown');
    const reading = page.locator('.reading', { hasText: 'attends to' });
    expect(await reading.locator('[data-value]').getAttribute('data-value')).toBe(String(attention!.weights[16]));

    const text = page.locator('[data-generated]');
    await text.waitFor();
    await page.getByLabel('Temperature').fill('0');
    await page.keyboard.press('Enter');
    const expected = runQuery(host.session!, {
      type: 'generate_tokens',
      sample: null,
      generated: [],
      seed: 1,
      temperature: 0,
    }).value!.generated.map(({ token }) => token);
    await expect
      .poll(async () =>
        (
          await text
            .locator('span[title]')
            .evaluateAll((all) => all.map((token) => token.getAttribute('title')?.split(': ')[0]))
        ).slice(0, expected.length),
      )
      .toEqual(expected);
    expect(panel.problems).toEqual([]);
    await close();
  });
});

it('has no tab for a network without tokens and attention', async () => {
  const { panel, close } = await openOwnPanel(browser, new FakeHost(readExample('circles')));
  expect(await panel.page.locator('#workspace-explain').getAttribute('data-views')).toBe('step what_if tensors');
  await close();
});

describe.each(themeNames)('in %s', (theme) => {
  it('fits at every width, and the accessibility checker finds nothing', async () => {
    for (const width of [1000, 320]) {
      const { panel, close } = await shown({ theme, width });
      await panel.page.locator('[data-generated]').waitFor();
      const view = panel.page.locator('#view-sequence');
      expect(await view.evaluate((own) => own.scrollWidth <= own.clientWidth + 1)).toBe(true);
      expect(await axeViolations(panel.page)).toEqual([]);
      await panel.screenshot(`sequence-${theme}-${width}`);
      await close();
    }
  });
});
