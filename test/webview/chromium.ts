// A page of the same real Chromium that the workbench tests use, for tests that drive the panel by itself.
// It serves no files: a test gives the page its HTML, or routes requests with Playwright.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium } from '../../scripts/chromium.mjs';

export interface PanelBrowser {
  /** A page in a context of its own; uncaught errors and console errors of the page are collected. */
  newPage(options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
}

/** The browser of a test file, there while its tests run. To be asked for ahead of other hooks. */
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
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      return { page, problems };
    },
  };
}
