// The built panel in a real browser page: under the same content security policy as in VS Code, in the colours of
// its themes, joined to a host that runs a real session.
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { cut } from '../../../src/parts/parts';
import { pack, unpack } from '../../../src/protocol/channel';
import type { FromPanel, SentToPanel, ToPanel } from '../../../src/protocol/panel';
import { weigh } from '../../support/weigh';
import type { PanelBrowser } from '../chromium';
import themes from './themes.json';

export type ThemeName = keyof typeof themes;
export const themeNames = Object.keys(themes) as ThemeName[];

// Tests and benchmarks run in the project's folder.
const root = resolve();
const screenshots = join(root, 'test', 'screenshots');
const origin = 'http://panel.test';

const policy = [
  "default-src 'none'", "script-src 'nonce-test'", `style-src ${origin}`, `font-src ${origin}`, `img-src ${origin} data:`,
].join('; ');

const html = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="editor.css"><link rel="stylesheet" href="webview.css">
<title>Nablascope</title></head>
<body data-uri="file:///examples/circles.nabla.json"><div id="panel"></div>
<script nonce="test" src="webview.js"></script></body></html>`;

/** What VS Code puts into every webview, as far as it can be in the way. */
const editorCss = `@layer vscode-default {
  body { background-color: transparent; color: var(--vscode-editor-foreground); padding: 0 20px; }
  input:focus, select:focus { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
}`;

export interface PanelPage {
  readonly page: Page;
  /** Uncaught errors, console errors and refused requests. */
  readonly problems: string[];
  /** Bytes of each message that went to it, as JSON with its arrays beside. */
  readonly weights: readonly number[];
  theme(name: ThemeName): Promise<void>;
  send(message: ToPanel): Promise<void>;
  /** What the panel asked the editor to keep. */
  state(): Promise<Record<string, unknown>>;
  /** Waits until what was sent has been drawn, text too. */
  settled(): Promise<void>;
  shot(name: string): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: ThemeName;
  /** What the editor kept of an earlier panel. */
  readonly kept?: Record<string, unknown>;
}

interface PanelWindow {
  editorMessage(message: unknown): Promise<void>;
  editorState: Record<string, unknown> | undefined;
  acquireVsCodeApi(): unknown;
}

/** Typed arrays do not survive the way into the page by themselves: their bytes go as text. */
function encode(message: unknown): string {
  return JSON.stringify(message, (_, value: unknown) =>
    ArrayBuffer.isView(value)
      ? { $array: value.constructor.name, bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
      : value,
  );
}

/** The other side of a panel. */
export interface PanelHost {
  /** Joins a page; from now on messages go there. */
  connect(send: (message: ToPanel) => Promise<void>): void;
  /** What the panel says. */
  receive(message: FromPanel): Promise<void>;
}

export async function openPanel(browser: Pick<PanelBrowser, 'newPage'>, host: PanelHost, options: PageOptions = {}): Promise<PanelPage> {
  refuseOldBuild();
  const { width = 1000, height = 800, theme = 'dark', kept } = options;
  const { page, problems } = await browser.newPage({ viewport: { width, height } });
  await page.route(`${origin}/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: html });
    if (name === 'editor.css') return route.fulfill({ contentType: 'text/css', body: editorCss });
    if (name === 'favicon.ico') return route.fulfill({ status: 204 });
    return route.fulfill({ path: join(root, 'dist', name) });
  });
  await page.exposeFunction('editorMessage', (message: unknown) => host.receive(unpack<FromPanel>(message)));
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
    { state: kept },
  );
  await page.addInitScript(applyTheme, themes[theme]);
  const weights: number[] = [];
  const post = async (message: SentToPanel): Promise<void> => {
    weights.push(weigh(message));
    await page.evaluate((text) => {
      const arrays: Record<string, new (buffer: ArrayBuffer) => unknown> = { Float64Array, Float32Array, Uint32Array, Uint16Array, Uint8Array };
      const message: unknown = JSON.parse(text, (_, value: unknown) => {
        const array = value as { $array?: string; bytes?: string } | null;
        if (typeof value !== 'object' || !array?.$array) return value;
        return new arrays[array.$array](Uint8Array.from(atob(array.bytes ?? ''), (character) => character.charCodeAt(0)).buffer);
      });
      window.postMessage(message);
    }, encode(pack(message)));
  };
  /** What was sent arrives in its order, part by part. */
  let sending = Promise.resolve();
  const send = (message: ToPanel): Promise<void> =>
    (sending = sending.then(async () => {
      for (const part of cut(message)) await post(part);
    }));
  host.connect(send);
  await page.goto(`${origin}/`);
  await page.locator('#panel[data-drawn="done"]').waitFor();
  const settled = async (): Promise<void> => {
    await sending;
    // Two frames of the screen, for messages on their way; then until the panel shows all that it was told.
    await page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
    await page.waitForFunction(() => document.getElementById('panel')?.dataset.drawn === 'done');
  };
  await settled();
  return {
    page,
    problems,
    weights,
    send,
    settled,
    theme: async (name) => {
      await page.evaluate(applyTheme, themes[name]);
      await settled();
    },
    state: () => page.evaluate(() => (window as unknown as PanelWindow).editorState ?? {}),
    shot: async (name) => {
      await settled();
      await page.screenshot({ path: join(screenshots, `${name}.png`) });
    },
  };
}

/** Runs in the page: what VS Code does when the theme is set or changes. */
function applyTheme({ name, kind, variables }: { name: string; kind: string; variables: Record<string, string> }): void {
  const apply = (): void => {
    const { documentElement, body } = document;
    for (const property of [...documentElement.style]) documentElement.style.removeProperty(property);
    for (const [property, value] of Object.entries(variables)) documentElement.style.setProperty(property, value);
    // VS Code gives the light one both classes.
    body.className = kind === 'vscode-high-contrast-light' ? `${kind} vscode-high-contrast` : kind;
    body.dataset.vscodeThemeKind = kind;
    body.dataset.vscodeThemeName = name;
    body.dataset.vscodeThemeId = name;
  };
  if (document.body) apply();
  else new MutationObserver((_, observer) => {
    if (!document.body) return;
    observer.disconnect();
    apply();
  }).observe(document, { childList: true, subtree: true });
}

/** A test of an old build would prove nothing. */
function refuseOldBuild(): void {
  const built = statSync(join(root, 'dist', 'webview.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (const entry of readdirSync(join(root, 'webview'), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).mtimeMs > built) throw new Error(`${file} is newer than dist/webview.js: npm run build`);
  }
}
