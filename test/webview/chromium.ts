// A page in the real Chromium of the workbench tests, for tests of the panel alone. It serves no files: a test provides
// the HTML, or routes requests with Playwright.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium } from '../../scripts/chromium.mjs';

export interface PanelBrowser {
  /** A page in its own context; collects uncaught errors and console errors of the page. */
  newPage(options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
}

/** The browser of a test file, available while its tests run. Must be called before other hooks. */
export function useBrowser(): PanelBrowser {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  return {
    async newPage(options = {}) {
      const context = await browser.newContext({ viewport: { width: 900, height: 800 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      return { page, problems };
    },
  };
}
