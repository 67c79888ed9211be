// What every view is held to, also the one that is added next: the tab key reaches everything that a pointer does, charts have
// their table, nothing moves where reduced motion is wanted.
import { beforeEach, afterEach, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { byTabKey, throughViews } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
beforeEach(async () => {
  host = new FakeHost(readExample('circles'));
  await host.runner.command({ type: 'runToStep', step: 24 });
  await host.until(({ position, target }) => position.step === 24 && target === null);
  panel = await openPanel({
    newPage: async (options) => {
      const opened = await browser.newPage(options);
      await opened.page.addInitScript(markWhatIsClicked);
      return opened;
    },
  }, host, { kept: { layer: 0 } });
  await panel.page.locator('[data-action="check"]').click();
  await panel.page.locator('.verdict').waitFor();
});
afterEach(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
});

/** Runs in the page, before it: elements that listen to clicks are marked. */
function markWhatIsClicked(): void {
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...given: Parameters<EventTarget['addEventListener']>): void {
    if (given[0] === 'click' && this instanceof HTMLElement) this.dataset.clicked = '';
    addEventListener.apply(this, given);
  };
}

it('the tab key, or arrows within what it reaches, come to all that can be clicked', async () => {
  const { page } = panel;
  await throughViews(panel, async (view) => {
    for (const table of await page.locator('.view summary').all()) await table.evaluate((summary: HTMLElement) => summary.click());
    await panel.settled();
    const reached = await byTabKey(page);
    expect(reached.size).toBeGreaterThan(10);
    const missed = await page.evaluate((numbers) => {
      const all = [...document.querySelectorAll<HTMLElement>('#panel :is(button, input, select, summary, a[href], [data-clicked])')];
      // Groups with one stop and arrows in them; charts whose steps have the scrubber and the field; rows that select a layer, as its row in the list does.
      const within = '[role="tablist"], [role="listbox"], [role="application"], .transport';
      const elsewhere = 'canvas[role="img"], .strip canvas, tr[data-clicked]';
      return all
        .filter((element) => element.checkVisibility() && !(element as HTMLButtonElement).disabled && !element.closest(within) && !element.matches(elsewhere))
        // What only came up on the way has no number yet.
        .filter((element) => element.dataset.number !== undefined && !numbers.includes(element.dataset.number) && !element.querySelector(':is(button, input, select, summary)'))
        .map((element) => element.outerHTML.slice(0, 160));
    }, [...reached]);
    expect({ view, missed }).toEqual({ view, missed: [] });
  });
});

it('every chart has a name and a table of its numbers', async () => {
  await throughViews(panel, async (view) => {
    const bare = await panel.page.evaluate(() => [...document.querySelectorAll<HTMLElement>('.view :is(canvas[role="img"], canvas[role="application"])')]
      .filter((canvas) => canvas.checkVisibility() && !canvas.closest('table'))
      .filter((canvas) => {
        let around: HTMLElement | null = canvas;
        while (around && !around.classList.contains('view') && !around.querySelector('details.data, table')) around = around.parentElement;
        return !canvas.getAttribute('aria-label') || !around?.querySelector('details.data, table');
      })
      .map((canvas) => canvas.outerHTML.slice(0, 200)));
    expect({ view, bare }).toEqual({ view, bare: [] });
  });
});

it('nothing moves by itself, or on its way, where reduced motion is wanted', async () => {
  await panel.page.emulateMedia({ reducedMotion: 'reduce' });
  await throughViews(panel, async (view) => {
    const moving = await panel.page.evaluate(() => [...document.querySelectorAll('#panel, #panel *')].filter((element) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return animationName !== 'none' || scrollBehavior === 'smooth' || transitionDuration.split(', ').some((each) => parseFloat(each) > 0);
    }).map((element) => element.outerHTML.slice(0, 120)));
    expect({ view, moving, running: await panel.page.evaluate(() => document.getAnimations().length) }).toEqual({ view, moving: [], running: 0 });
  });
});
