// A VS Code window in Chromium: opens the page of a started server, finds the panel's inner frame, runs commands by
// their palette title. Uses only Playwright and none of the extension's code.
import { windowAddress } from './vscode-server.mjs';

/** The frame that VS Code puts around our webviews carries the extension's id in its address. */
const outerFrame = 'iframe.webview.ready[src*="extensionId=nablascope.nablascope"]';

/**
 * Opens a window and waits until the workbench stands.
 * @param {object} options
 * @param {import('playwright-core').Browser} options.browser
 * @param {Awaited<ReturnType<typeof import('./vscode-server.mjs').startServer>>} options.server
 * @param {string} options.folder workspace, absolute
 * @param {string} [options.file] opened at once, absolute
 * @param {string} [options.extension] loaded in development mode, absolute
 * @param {string} [options.tests] compiled suite to run, absolute
 * @param {{ width: number, height: number }} [options.size]
 * @param {import('playwright-core').BrowserContext} [options.context] reuse one: the next window of the same person
 * @param {string} [options.language] display language of extensions; the workbench's own texts stay English
 * @param {(page: import('playwright-core').Page) => Promise<void>} [options.before] runs before the page loads
 */
export async function openWindow({ browser, server, size, context, language, before, ...what }) {
  const viewport = size ?? { width: 1400, height: 900 };
  context ??= await browser.newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  // Where the texts of a language pack would set it.
  if (language) await page.addInitScript((code) => (globalThis._VSCODE_NLS_LANGUAGE = code), language);
  await before?.(page);
  await page.goto(windowAddress(server, what));
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
  return { context, page };
}

/**
 * The inside of the extension's panel: a frame locator that stays valid over reloads of the webview. `nth` counts
 * when there are several panels visible.
 * @param {import('playwright-core').Page} page
 */
export function panelOf(page, nth = 0) {
  const visible = page.locator(outerFrame).filter({ visible: true }).nth(nth);
  return visible.contentFrame().locator('#active-frame').contentFrame();
}

/**
 * The Frame object of the panel, for `evaluate`; waits for it.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<import('playwright-core').Frame>}
 */
export async function panelFrame(page, { nth = 0, timeout = 30_000 } = {}) {
  const visible = page.locator(outerFrame).filter({ visible: true }).nth(nth);
  const inner = visible.contentFrame().locator('#active-frame');
  const handle = await inner.elementHandle({ timeout });
  const frame = await handle.contentFrame();
  if (!frame) throw new Error('The panel has no frame inside.');
  return frame;
}

/**
 * Runs a command the way a person does: by its title in the command palette, for example "Nablascope: Open Panel". Asks
 * again while the extension that contributes it is still being loaded.
 * @param {import('playwright-core').Page} page
 */
export async function runCommand(page, title, { timeout = 120_000 } = {}) {
  const label = new RegExp(`^${escapeRegExp(title)}(,|$)`);
  const rows = page.locator('.quick-input-list .monaco-list-row[aria-label]');
  const deadline = Date.now() + timeout;
  let seen = [];
  while (Date.now() < deadline) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input.input');
    await input.waitFor({ timeout });
    await input.fill(`>${title}`);
    for (let look = 0; look < 5; look++) {
      seen = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-label') ?? ''));
      const index = seen.findIndex((text) => label.test(text));
      if (index >= 0) {
        await rows.nth(index).click();
        return;
      }
      await page.waitForTimeout(100); // the list is filtered a moment after the typing
    }
    await page.keyboard.press('Escape');
  }
  throw new Error(`No command called "${title}" in the palette. Seen: ${seen.slice(0, 8).join(' | ')}`);
}

/**
 * Leaves the window like a user who switches to another one and then closes it. VS Code stores what is open when its
 * window loses the focus, which does not happen to a headless page.
 * @param {import('playwright-core').Page} page
 */
export async function closeWindow(page) {
  await page.evaluate(() => {
    document.hasFocus = () => false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  // The state is written to IndexedDB in the background; closing earlier would lose it.
  const deadline = Date.now() + 10_000;
  let last;
  for (;;) {
    await page.waitForTimeout(500);
    const stored = await page.evaluate(storedEditors);
    if ((stored !== undefined && stored === last) || Date.now() > deadline) break;
    last = stored;
  }
  await page.close({ runBeforeUnload: false });
}

/** Runs in the page: what the workbench has stored about the editors of this workspace. */
async function storedEditors() {
  const result = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name = '' } of await indexedDB.databases()) {
    if (!/^vscode-web-state-db-(?!global)/.test(name)) continue;
    const database = await result(indexedDB.open(name));
    try {
      const items = database.transaction('ItemTable').objectStore('ItemTable');
      return await result(items.get('memento/workbench.parts.editor'));
    } finally {
      database.close();
    }
  }
  return undefined;
}

/** Closes notifications that the workbench has opened. */
export async function clearNotifications(page) {
  for (const button of await page.locator('.notification-toast .codicon-notifications-clear').all()) {
    await button.click({ timeout: 2000 }).catch(() => undefined);
  }
}

function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
