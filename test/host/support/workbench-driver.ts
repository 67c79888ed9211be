// The user's view of the workbench, for tests that need more than the extension API: the suite's half of the bridge to
// the runner (scripts/test-bridge.mjs), which drives the window with Playwright. Desktop VS Code has no such runner:
// `requireWorkbench(this)` then skips the test.
import type { Context } from 'mocha';

export interface AccessibilityFinding {
  /** axe-core's rule, for example `color-contrast`. */
  id: string;
  impact: string | null;
  help: string;
  /** The affected elements, as HTML. */
  nodes: string[];
}

export interface WaitOptions {
  /** Only elements that contain this text. */
  text?: string;
  /** Default: visible. */
  state?: 'attached' | 'detached' | 'visible' | 'hidden';
}

/** Selectors are Playwright's (CSS, `text=...`, `role=button[name="Step"]`) and pierce shadow roots. */
export interface WorkbenchDriver {
  /** Writes test/screenshots/NAME.png and returns the file. */
  screenshot(name: string, of?: 'window' | 'panel'): Promise<string>;

  /** Text of the first element in the panel that matches; waits for it. */
  panelText(selector: string): Promise<string>;
  /** Texts of all that match now. */
  panelTexts(selector: string): Promise<string[]>;
  panelCount(selector: string): Promise<number>;
  panelWait(selector: string, options?: WaitOptions): Promise<void>;
  /** Value of a JavaScript expression inside the panel's frame; it must survive JSON. */
  panelEval<T>(expression: string): Promise<T>;
  clickInPanel(selector: string): Promise<void>;
  hoverInPanel(selector: string): Promise<void>;
  fillInPanel(selector: string, text: string): Promise<void>;
  /** Focuses the element (default: the body) and presses a key, for example `Space` or `Shift+ArrowLeft`. */
  pressInPanel(key: string, selector?: string): Promise<void>;
  /** Violations that axe-core finds in the panel. */
  accessibilityOfPanel(): Promise<AccessibilityFinding[]>;
  /** Errors in the panel's console and uncaught errors since the last call. */
  problemsSeen(): Promise<string[]>;

  /** Presses a key at the current focus. */
  press(key: string): Promise<void>;
  type(text: string): Promise<void>;
  /** In the workbench, outside of the panel. */
  click(selector: string, button?: 'left' | 'right'): Promise<void>;
  /** Clicks the margin of the editor beside the line that contains this text. */
  clickMargin(text: string): Promise<void>;
  texts(selector: string): Promise<string[]>;
  /** What styles add behind the elements that match, such as decorations of an editor. */
  afterTexts(selector: string): Promise<string[]>;
  wait(selector: string, options?: WaitOptions): Promise<void>;
  /** Runs a command by its full title in the command palette, for example `Nablascope: Open Panel`. */
  command(title: string): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  emulate(media: { reducedMotion?: 'reduce' | 'no-preference'; forcedColors?: 'active' | 'none' }): Promise<void>;
}

/** What the suite reports to the runner. */
export type Report =
  | { type: 'begin'; total: number }
  | { type: 'pass'; title: string; milliseconds: number }
  | { type: 'fail'; title: string; message: string }
  | { type: 'skip'; title: string }
  | { type: 'end' };

const address = process.env.NABLASCOPE_BRIDGE;
const token = process.env.NABLASCOPE_BRIDGE_TOKEN;

/** Whether a runner is connected. */
export const hasWorkbench = address !== undefined && token !== undefined;

async function call<T>(name: string, parameters: object = {}): Promise<T> {
  if (address === undefined) throw new Error('Nobody is outside this extension host.');
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ call: name, parameters }),
  });
  const { value, error } = (await response.json()) as { value: T; error?: string };
  if (error !== undefined) throw new Error(`${name} ${JSON.stringify(parameters)}: ${error}`);
  return value;
}

export const workbench: WorkbenchDriver = {
  screenshot: (name, of = 'window') => call('screenshot', { name, of }),
  panelText: (selector) => call('panelText', { selector }),
  panelTexts: (selector) => call('panelTexts', { selector }),
  panelCount: (selector) => call('panelCount', { selector }),
  panelWait: (selector, options) => call('panelWait', { selector, ...options }),
  panelEval: (expression) => call('panelEval', { expression }),
  clickInPanel: (selector) => call('clickInPanel', { selector }),
  hoverInPanel: (selector) => call('hoverInPanel', { selector }),
  fillInPanel: (selector, text) => call('fillInPanel', { selector, text }),
  pressInPanel: (key, selector) => call('pressInPanel', { key, selector }),
  accessibilityOfPanel: () => call('accessibilityOfPanel'),
  problemsSeen: () => call('problemsSeen'),
  press: (key) => call('press', { key }),
  type: (text) => call('type', { text }),
  click: (selector, button) => call('click', { selector, button }),
  clickMargin: (text) => call('clickMargin', { text }),
  texts: (selector) => call('texts', { selector }),
  afterTexts: (selector) => call('afterTexts', { selector }),
  wait: (selector, options) => call('wait', { selector, ...options }),
  command: (title) => call('command', { title }),
  resize: (width, height) => call('resize', { width, height }),
  emulate: (media) => call('emulate', media),
};

/** Called first by a test that needs the window: skips it if there is none. */
export function requireWorkbench(test: Context): WorkbenchDriver {
  if (!hasWorkbench) test.skip();
  return workbench;
}

export function report(event: Report): Promise<void> {
  return call('report', event);
}
