// One webview panel: carries messages, and knows when the page can hear them and has taken up a frame. What
// the page shows is made anew whenever it becomes visible, so nothing is kept in it.
import * as vscode from 'vscode';
import { pack, unpack } from '../protocol/channel';
import type { FromPanel, ToPanel } from '../protocol/panel';
import type { Frame } from '../session/frame';
import { Outbox } from './outbox';
import { plain } from './plain';
import { panelHtml, panelRoots } from './panel-html';

export const panelType = 'nablascope.panel';

export interface PanelEvents {
  /** The page is new: it waits for a snapshot. */
  ready(): void;
  message(message: Exclude<FromPanel, { type: 'ready' | 'taken' }>): void;
  /** It became the active editor, or no longer is. */
  active(active: boolean): void;
  disposed(): void;
}

/** Sentences that wait for a page to hear them; more would only be dismissed unread. */
const MOST_WAITING = 3;
/** A page that has not taken up a frame by then is thought to be busy with something else. */
const TAKE_MS = 2000;

export class Panel implements vscode.Disposable {
  readonly #panel: vscode.WebviewPanel;
  readonly #subscriptions: vscode.Disposable[];
  /** To the page that listens; null while there is none. */
  #outbox: Outbox | null = null;
  /** What was said while there was no page to hear it. */
  #waiting: ToPanel[] = [];
  #flight: { readonly sequence: number; readonly land: () => void } | null = null;

  static create(extensionUri: vscode.Uri, uri: vscode.Uri, events: PanelEvents): Panel {
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    return new Panel(vscode.window.createWebviewPanel(panelType, '∇', column, { enableScripts: true }), extensionUri, uri, events);
  }

  /** @param panel a new one, or one that VS Code restored. */
  constructor(
    panel: vscode.WebviewPanel,
    readonly extensionUri: vscode.Uri,
    uri: vscode.Uri,
    events: PanelEvents,
  ) {
    this.#panel = panel;
    panel.webview.options = { enableScripts: true, localResourceRoots: panelRoots(extensionUri) };
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel.svg');
    this.#subscriptions = [
      panel.webview.onDidReceiveMessage((packed: unknown) => this.#receive(unpack(packed), events)),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away; it says `ready` when it is made again.
        if (!panel.visible) this.#deaf();
        events.active(panel.active);
      }),
      panel.onDidDispose(() => {
        this.#deaf();
        events.disposed();
      }),
    ];
    this.load(uri);
  }

  get active(): boolean {
    return this.#panel.active;
  }

  get column(): vscode.ViewColumn | undefined {
    return this.#panel.viewColumn;
  }

  /** Loads the page for the spec at this address. */
  load(uri: vscode.Uri): void {
    this.#deaf();
    this.#panel.title = `∇ ${plain(nameOf(uri))}`;
    this.#panel.webview.html = panelHtml(this.#panel.webview, this.extensionUri, uri.toString());
  }

  reveal(): void {
    this.#panel.reveal();
  }

  send(message: ToPanel): void {
    if (this.#outbox) this.#outbox.send(message);
    else if (message.type === 'notice') this.#waiting = [...this.#waiting, message].slice(-MOST_WAITING);
  }

  /** Settles when the frame is taken up, at rest when it is on the screen, or when nobody can see it. */
  async show(frame: Frame): Promise<void> {
    if (!this.#outbox) return;
    this.#flight?.land();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, TAKE_MS);
      const land = (): void => {
        clearTimeout(timer);
        this.#flight = null;
        resolve();
      };
      this.#flight = { sequence: frame.sequence, land };
      this.send({ type: 'frame', frame });
    });
  }

  dispose(): void {
    this.#deaf();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#panel.dispose();
  }

  #receive(message: FromPanel, events: PanelEvents): void {
    if (message.type === 'ready') {
      this.#deaf();
      this.#outbox = new Outbox((sent) => this.#panel.webview.postMessage(pack(sent)));
      events.ready();
      for (const notice of this.#waiting.splice(0)) this.send(notice);
    } else if (message.type === 'taken') {
      if (this.#flight?.sequence === message.sequence) this.#flight.land();
    } else {
      events.message(message);
    }
  }

  #deaf(): void {
    this.#outbox?.close();
    this.#outbox = null;
    this.#flight?.land();
  }
}

/** `circles` for circles.nabla.json. */
export function nameOf(uri: vscode.Uri): string {
  return (uri.path.split('/').pop() ?? '').replace(/\.nabla\.json$/, '');
}
