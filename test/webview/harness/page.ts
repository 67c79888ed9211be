// The built panel in a real browser page: with the same content security policy as in VS Code, in the colors of its
// themes, connected to a host that runs a real session.
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { createBirpc } from 'birpc';
import { Outbox } from '../../../src/chunking/outbox';
import type { Frame, PageCalls, PanelRequests, PanelUpdate } from '../../../src/protocol/panel';
import { panelSerialization } from '../../../src/protocol/panel-channel';
import { postedBytes } from '../../support/posted-bytes';
import type { PanelBrowser } from '../chromium';
import themes from './themes.json';

export type ThemeName = keyof typeof themes;
export const themeNames = Object.keys(themes) as ThemeName[];

// Tests and benchmarks run in the project's root folder.
const root = resolve();
const screenshots = join(root, 'test', 'screenshots');
const origin = 'http://panel.test';

const policy = [
  "default-src 'none'",
  "script-src 'nonce-test'",
  `style-src ${origin}`,
  `font-src ${origin}`,
  `img-src ${origin} data:`,
].join('; ');

const html = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="editor.css"><link rel="stylesheet" href="webview.css">
<title>Nablascope</title></head>
<body data-uri="file:///examples/circles.nabla.json"><div id="panel"></div>
<script nonce="test" src="webview.js"></script></body></html>`;

/** Styles that VS Code adds to every webview and that could interfere. */
const editorCss = `@layer vscode-default {
  body { background-color: transparent; color: var(--vscode-editor-foreground); padding: 0 20px; }
  input:focus, select:focus { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
}`;

export interface PanelPage {
  readonly page: Page;
  /** Uncaught errors, console errors and refused requests. */
  readonly problems: string[];
  /** Bytes of each message that was sent to it, as JSON with separate arrays. */
  readonly messageSizes: readonly number[];
  setTheme(name: ThemeName): Promise<void>;
  send(message: PanelMessage): Promise<void>;
  /** The state that the panel asked the editor to store. */
  storedState(): Promise<Record<string, unknown>>;
  /** Waits until everything that was sent has been drawn, including text. */
  waitUntilDrawn(): Promise<void>;
  screenshot(name: string): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: ThemeName;
  /** Stored state of an earlier panel. */
  readonly storedState?: Record<string, unknown>;
}

interface PanelWindow {
  editorMessage(message: unknown): Promise<void>;
  editorState: Record<string, unknown> | undefined;
  acquireVsCodeApi(): unknown;
}

/** Typed arrays cannot be passed into the page directly, so their bytes are sent as text. */
function encode(message: unknown): string {
  return JSON.stringify(message, (_, value: unknown) =>
    ArrayBuffer.isView(value)
      ? {
          $array: value.constructor.name,
          bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
        }
      : value,
  );
}

/** An update, or a frame. */
export type PanelMessage = PanelUpdate | { readonly type: 'frame'; readonly frame: Frame };

/** The host of a panel. */
export interface PanelHost {
  /** Connects a page. @param send resolves when an update was delivered, or a frame drawn */
  connect(send: (message: PanelMessage) => Promise<void>): void;
  readonly requests: PanelRequests;
}

export async function openPanel(
  browser: Pick<PanelBrowser, 'newPage'>,
  host: PanelHost,
  options: PageOptions = {},
): Promise<PanelPage> {
  assertFreshBuild();
  const { width = 1000, height = 800, theme = 'dark', storedState } = options;
  const { page, problems } = await browser.newPage({ viewport: { width, height } });
  await page.route(`${origin}/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: html });
    if (name === 'editor.css') return route.fulfill({ contentType: 'text/css', body: editorCss });
    if (name === 'favicon.ico') return route.fulfill({ status: 204 });
    return route.fulfill({ path: join(root, 'dist', name) });
  });
  let receive: (message: unknown) => void = () => undefined;
  await page.exposeFunction('editorMessage', (message: unknown) => receive(message));
  await page.addInitScript(
    ({ state }) => {
      const panel = window as unknown as PanelWindow;
      panel.editorState = state;
      panel.acquireVsCodeApi = () => ({
        postMessage: (message: unknown) => void panel.editorMessage(message),
        getState: () => panel.editorState,
        setState: (next: Record<string, unknown>) => {
          panel.editorState = next;
        },
      });
    },
    { state: storedState },
  );
  await page.addInitScript(applyTheme, themes[theme]);
  const messageSizes: number[] = [];
  const post = async (message: object): Promise<void> => {
    messageSizes.push(postedBytes(message));
    await page.evaluate((text) => {
      const arrays: Record<string, new (buffer: ArrayBuffer) => unknown> = {
        Float64Array,
        Float32Array,
        Uint32Array,
        Uint16Array,
        Uint8Array,
      };
      const message: unknown = JSON.parse(text, (_, value: unknown) => {
        const array = value as { $array?: string; bytes?: string } | null;
        if (typeof value !== 'object' || !array?.$array) return value;
        return new arrays[array.$array](
          Uint8Array.from(atob(array.bytes ?? ''), (character) => character.charCodeAt(0)).buffer,
        );
      });
      window.postMessage(message);
    }, encode(message));
  };
  let sending: Promise<unknown> = Promise.resolve();
  const outbox = new Outbox<object>(post);
  const pageCalls = createBirpc<PageCalls, PanelRequests>(host.requests, {
    post: (message: object) => (sending = outbox.send(message)),
    on: (listener) => void (receive = listener),
    ...panelSerialization,
    bind: 'functions',
    timeout: -1,
  });
  const send = (message: PanelMessage): Promise<void> =>
    message.type === 'frame' ? pageCalls.frame(message.frame) : pageCalls.update.asEvent(message);
  host.connect(send);
  await page.goto(`${origin}/`);
  await page.locator('#panel[data-drawn="done"]').waitFor();
  const waitUntilDrawn = async (): Promise<void> => {
    await sending;
    // Two screen frames for messages in flight; then until the panel is up to date.
    await page.evaluate(
      () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
    );
    await page.waitForFunction(() => document.getElementById('panel')?.dataset.drawn === 'done');
  };
  await waitUntilDrawn();
  return {
    page,
    problems,
    messageSizes,
    send,
    waitUntilDrawn,
    setTheme: async (name) => {
      await page.evaluate(applyTheme, themes[name]);
      await waitUntilDrawn();
    },
    storedState: () => page.evaluate(() => (window as unknown as PanelWindow).editorState ?? {}),
    screenshot: async (name) => {
      await waitUntilDrawn();
      await page.screenshot({ path: join(screenshots, `${name}.png`) });
    },
  };
}

/** A panel that a test closes with its host. Closing fails if the page reported a problem. */
export interface OwnPanel {
  readonly panel: PanelPage;
  close(): Promise<void>;
}

export async function openOwnPanel(
  browser: Pick<PanelBrowser, 'newPage'>,
  host: PanelHost & { dispose(): Promise<void> },
  options: PageOptions = {},
): Promise<OwnPanel> {
  const panel = await openPanel(browser, host, options);
  return {
    panel,
    async close() {
      expect(panel.problems).toEqual([]);
      await host.dispose();
      await panel.page.close();
    },
  };
}

/** Runs in the page: what VS Code does when the theme is set or changes. */
function applyTheme({
  name,
  kind,
  variables,
}: {
  name: string;
  kind: string;
  variables: Record<string, string>;
}): void {
  const apply = (): void => {
    const { documentElement, body } = document;
    for (const property of [...documentElement.style]) documentElement.style.removeProperty(property);
    for (const [property, value] of Object.entries(variables)) documentElement.style.setProperty(property, value);
    // VS Code gives the light theme both classes.
    body.className = kind === 'vscode-high-contrast-light' ? `${kind} vscode-high-contrast` : kind;
    body.dataset.vscodeThemeKind = kind;
    body.dataset.vscodeThemeName = name;
    body.dataset.vscodeThemeId = name;
  };
  if (document.body) apply();
  else
    new MutationObserver((_, observer) => {
      if (!document.body) return;
      observer.disconnect();
      apply();
    }).observe(document, { childList: true, subtree: true });
}

/** Testing an old build would prove nothing. */
function assertFreshBuild(): void {
  const built = statSync(join(root, 'dist', 'webview.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (const entry of readdirSync(join(root, 'webview'), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).mtimeMs > built)
      throw new Error(`${file} is newer than dist/webview.js: npm run build`);
  }
}
