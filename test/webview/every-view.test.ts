// Requirements for every view, including new ones: everything clickable is reachable with the tab key, charts have
// tables, nothing is animated if reduced motion is requested.
import { beforeEach, afterEach, expect, it } from 'vitest';
import { useBrowser } from './chromium';
import { tabStops, forEachView } from './harness/every-view';
import { FakeHost, readExample } from './harness/host';
import { openPanel, type PanelPage } from './harness/page';

const browser = useBrowser();
let host: FakeHost;
let panel: PanelPage;
beforeEach(async () => {
  host = new FakeHost(readExample('circles'));
  await host.runner.command({ type: 'runToStep', step: 24 });
  await host.waitForFrame(({ position, target }) => position.step === 24 && target === null);
  panel = await openPanel(
    {
      newPage: async (options) => {
        const opened = await browser.newPage(options);
        await opened.page.addInitScript(markWhatIsClicked);
        return opened;
      },
    },
    host,
    { storedState: { layer: 0 } },
  );
  await panel.page.locator('[data-action="check"]').click();
  await panel.page.locator('.verdict').waitFor();
});
afterEach(async () => {
  expect(panel.problems).toEqual([]);
  await host.dispose();
  await panel.page.close();
});

/** Runs in the page before its scripts: marks elements with click listeners. */
function markWhatIsClicked(): void {
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (
    this: EventTarget,
    ...given: Parameters<EventTarget['addEventListener']>
  ): void {
    if (given[0] === 'click' && this instanceof HTMLElement) this.dataset.clicked = '';
    addEventListener.apply(this, given);
  };
}

it('everything clickable can be reached with the tab key, or with arrow keys within it', async () => {
  const { page } = panel;
  await forEachView(panel, async (view) => {
    for (const table of await page.locator('.view summary').all())
      await table.evaluate((summary: HTMLElement) => summary.click());
    await panel.waitUntilDrawn();
    const reached = await tabStops(page);
    expect(reached.size).toBeGreaterThan(10);
    const missed = await page.evaluate(
      (numbers) => {
        const all = [
          ...document.querySelectorAll<HTMLElement>(
            '#panel :is(button, input, select, summary, a[href], [data-clicked])',
          ),
        ];
        // Groups with a single tab stop and arrow keys; charts, whose steps can be reached with the timeline and the
        // field; rows that select a layer, like the row in the list; the verdict, with a button for its details.
        const within = '[role="tablist"], [role="listbox"], [role="application"], .transport';
        const elsewhere = 'canvas[role="img"], .strip canvas, tr[data-clicked], .state > p';
        return (
          all
            .filter(
              (element) =>
                element.checkVisibility() &&
                !(element as HTMLButtonElement).disabled &&
                !element.closest(within) &&
                !element.matches(elsewhere),
            )
            // Elements that appeared only in between have no number yet.
            .filter(
              (element) =>
                element.dataset.number !== undefined &&
                !numbers.includes(element.dataset.number) &&
                !element.querySelector(':is(button, input, select, summary)'),
            )
            .map((element) => element.outerHTML.slice(0, 160))
        );
      },
      [...reached],
    );
    expect({ view, missed }).toEqual({ view, missed: [] });
  });
});

it('every chart has a name and a table of its numbers', async () => {
  await forEachView(panel, async (view) => {
    const bare = await panel.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.view :is(canvas[role="img"], canvas[role="application"])')]
        .filter((canvas) => canvas.checkVisibility() && !canvas.closest('table'))
        .filter((canvas) => {
          let around: HTMLElement | null = canvas;
          while (around && !around.classList.contains('view') && !around.querySelector('details.data, table'))
            around = around.parentElement;
          return !canvas.getAttribute('aria-label') || !around?.querySelector('details.data, table');
        })
        .map((canvas) => canvas.outerHTML.slice(0, 200)),
    );
    expect({ view, bare }).toEqual({ view, bare: [] });
  });
});

it('nothing is animated if reduced motion is requested', async () => {
  await panel.page.emulateMedia({ reducedMotion: 'reduce' });
  await forEachView(panel, async (view) => {
    const moving = await panel.page.evaluate(() =>
      [...document.querySelectorAll('#panel, #panel *')]
        .filter((element) => {
          const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
          return (
            animationName !== 'none' ||
            scrollBehavior === 'smooth' ||
            transitionDuration.split(', ').some((each) => parseFloat(each) > 0)
          );
        })
        .map((element) => element.outerHTML.slice(0, 120)),
    );
    expect({ view, moving, running: await panel.page.evaluate(() => document.getAnimations().length) }).toEqual({
      view,
      moving: [],
      running: 0,
    });
  });
});
