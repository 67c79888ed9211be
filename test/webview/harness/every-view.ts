// What holds for every view that there is, so that a new one is held to it by itself.
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import type { PanelPage } from './page';

/** The views that there are, as the tabs have them. */
export const viewsOf = (page: Page): Promise<string[]> =>
  page.locator('[role="tab"]').evaluateAll((all) => all.map(({ id }) => id.replace('tab-', '')));

/** Opens each view in turn and waits until it is drawn. */
export async function throughViews(panel: PanelPage, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = panel;
  for (const view of await viewsOf(page)) {
    await page.locator(`#tab-${view}`).click();
    await panel.settled();
    await look(view);
  }
}

/** Elements that reach out of the page to the right, where nothing scrolls them into sight. */
export const cutOff = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const scrolls = (element: Element | null): boolean =>
      element !== null && (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) && element.id !== 'panel' && !element.classList.contains('view') && !element.classList.contains('layers') || scrolls(element.parentElement));
    return [...document.querySelectorAll('#panel *')]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && box.right > innerWidth + 1 && !scrolls(element.parentElement);
      })
      .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`);
  });

/** Goes once round with the tab key, and says what it reached. Fails where it gets stuck. */
export async function byTabKey(page: Page): Promise<Set<string>> {
  await page.evaluate(() => {
    let next = 0;
    for (const element of document.querySelectorAll<HTMLElement>('#panel *')) element.dataset.number = String(next++);
    (document.activeElement as HTMLElement | null)?.blur();
    document.body.tabIndex = -1;
    document.body.focus();
  });
  const reached = new Set<string>();
  for (let i = 0; i < 600; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.number ?? null);
    if (at === null) return reached;
    if (reached.has(at)) break;
    reached.add(at);
  }
  const where = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200));
  expect.fail(`The tab key does not leave the panel: it is at ${where}`);
}
