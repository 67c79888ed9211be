// Helpers for requirements of every view, so that a new one is tested automatically.
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import type { PanelPage } from './page';

/** The ids of all views, in the order of their tabs. */
export const viewsOf = (page: Page): Promise<string[]> =>
  page
    .locator('[data-views]')
    .evaluateAll((all) => all.flatMap((workspace) => (workspace as HTMLElement).dataset.views?.split(' ') ?? []));

/** Selects the workspace of a view if it is not selected, and the view; in a narrow panel both are menus. */
export async function clickTab(page: Page, view: string): Promise<void> {
  await page.locator(`[data-views~="${view}"]`).evaluate((workspace: HTMLElement) => {
    if (workspace.getAttribute('aria-current') !== 'true') workspace.click();
  });
  const menu = page.locator('.view-menu');
  if (!(await menu.isVisible())) return page.locator(`#tab-${view}`).click();
  // Waits until the menu shows the views of the workspace.
  await menu.selectOption(view);
}

/** Opens the popover of the toolbar, with the learning rate, "run to", undo and reset. */
export async function showMoreControls(page: Page): Promise<void> {
  if (await page.locator('#more').evaluate((more) => more.matches(':popover-open'))) return;
  await page.locator('[data-action="more"]').click();
}

/** Opens each view and waits until it is drawn. */
export async function forEachView(panel: PanelPage, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = panel;
  for (const view of await viewsOf(page)) {
    await clickTab(page, view);
    await panel.waitUntilDrawn();
    await look(view);
  }
}

/** Elements that extend beyond the right edge and cannot be scrolled into view. */
export const findClippedText = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      ((['auto', 'scroll'].includes(getComputedStyle(element).overflowX) &&
        element.id !== 'panel' &&
        !element.classList.contains('view') &&
        !element.classList.contains('layers')) ||
        scrolls(element.parentElement));
    return [...document.querySelectorAll('#panel *')]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && box.right > innerWidth + 1 && !scrolls(element.parentElement);
      })
      .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`);
  });

/** Presses the tab key through the whole page and returns what it reached. Fails if it gets stuck. */
export async function tabStops(page: Page): Promise<Set<string>> {
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
