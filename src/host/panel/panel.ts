// One webview panel: connects its page to the extension host, and knows when the page is ready and has drawn a frame.
// VS Code discards a hidden page and creates it again, so the page keeps nothing.
import { type BirpcReturn, createBirpc } from 'birpc';
import * as vscode from 'vscode';
import type { Chunk } from '../../chunking/chunks';
import { Outbox } from '../../chunking/outbox';
import type {
  Frame,
  PageCalls,
  PanelRequests,
  PanelUpdate,
  Position,
  StopPicture,
  StopSelection,
} from '../../protocol/panel';
import { isRpcMessage, panelSerialization } from '../../protocol/panel-channel';
import { escapeUiText } from '../ui/escape-ui';
import { panelHtml, panelResourceRoots } from './panel-html';

export const panelViewType = 'nablascope.panel';

export interface PanelEvents {
  /** Answers the page; `ready` means that a new page needs a snapshot. */
  readonly requests: PanelRequests;
  /** A request failed. */
  onRequestError(error: unknown): void;
  /** It became the active editor, or no longer is. */
  onActiveChange(active: boolean): void;
  onDispose(): void;
}

/** Updates kept while there is no page; it shows no more notices at a time. */
const MAX_PENDING_UPDATES = 3;
/** Training continues if a busy page has not drawn a frame by then. */
const FRAME_ACK_TIMEOUT_MS = 2000;

export class Panel implements vscode.Disposable {
  readonly #panel: vscode.WebviewPanel;
  readonly #subscriptions: vscode.Disposable[];
  readonly #page: BirpcReturn<PageCalls, PanelRequests>;
  /** Null while no page is ready. */
  #outbox: Outbox<object> | null = null;
  #pendingUpdates: PanelUpdate[] = [];
  /** Stops waiting for the frame in flight. */
  #releaseFrame: () => void = () => undefined;

  static create(extensionUri: vscode.Uri, uri: vscode.Uri, events: PanelEvents): Panel {
    const showOptions = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
    return new Panel(
      vscode.window.createWebviewPanel(panelViewType, '∇', showOptions, { enableScripts: true }),
      extensionUri,
      uri,
      events,
    );
  }

  /** @param panel a new one, or one that VS Code restored. */
  constructor(
    panel: vscode.WebviewPanel,
    readonly extensionUri: vscode.Uri,
    uri: vscode.Uri,
    events: PanelEvents,
  ) {
    this.#panel = panel;
    panel.webview.options = { enableScripts: true, localResourceRoots: panelResourceRoots(extensionUri) };
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'panel.svg');
    const requests: PanelRequests = {
      ...events.requests,
      ready: () => {
        this.#connect();
        events.requests.ready();
        for (const update of this.#pendingUpdates.splice(0)) this.postUpdate(update);
      },
    };
    const onPageMessage = new vscode.EventEmitter<object>();
    this.#page = createBirpc<PageCalls, PanelRequests>(requests, {
      post: (message: object) => this.#outbox?.send(message),
      on: (listener) => void onPageMessage.event(listener),
      ...panelSerialization,
      // Only what the page may call: no inherited function.
      resolver: (name, request) =>
        Object.hasOwn(requests, name)
          ? async (...args: unknown[]) => {
              try {
                return await (request.apply(requests, args) as Promise<unknown>);
              } catch (error) {
                events.onRequestError(error);
                throw error;
              }
            }
          : undefined,
      bind: 'functions',
      timeout: -1,
    });
    this.#subscriptions = [
      onPageMessage,
      panel.webview.onDidReceiveMessage((message: unknown) => {
        if (isRpcMessage(message)) onPageMessage.fire(message);
      }),
      panel.onDidChangeViewState(() => {
        // VS Code discards a hidden page; a new one calls `ready`.
        if (!panel.visible) this.#disconnect();
        events.onActiveChange(panel.active);
      }),
      panel.onDidDispose(() => {
        this.#disconnect();
        events.onDispose();
      }),
    ];
    this.load(uri);
  }

  get isActive(): boolean {
    return this.#panel.active;
  }

  get viewColumn(): vscode.ViewColumn | undefined {
    return this.#panel.viewColumn;
  }

  /** Loads the page for the spec at this address. */
  load(uri: vscode.Uri): void {
    this.#disconnect();
    this.#panel.title = `∇ ${escapeUiText(specNameOf(uri))}`;
    this.#panel.webview.html = panelHtml(this.#panel.webview, this.extensionUri, uri.toString());
  }

  reveal(): void {
    this.#panel.reveal();
  }

  postUpdate(update: PanelUpdate): void {
    if (this.#outbox) void this.#page.update.asEvent(update);
    // A snapshot holds the rest.
    else if (['notice', 'showView', 'showTensor', 'askQuery', 'present'].includes(update.type))
      this.#pendingUpdates = [...this.#pendingUpdates, update].slice(-MAX_PENDING_UPDATES);
  }

  /** @returns when the page can take the next frame, or no page is visible. @param chunks as the engine sent them */
  async showFrame(chunks: readonly (Frame | Chunk)[]): Promise<void> {
    if (!this.#outbox) return;
    this.#releaseFrame();
    const released = new Promise<void>((resolve) => (this.#releaseFrame = resolve));
    const timer = setTimeout(this.#releaseFrame, FRAME_ACK_TIMEOUT_MS);
    const drawn = Promise.all(chunks.map((chunk) => this.#page.frame(chunk)));
    await Promise.race([drawn.catch(() => undefined), released]);
    clearTimeout(timer);
  }

  /** Null while there is no page. */
  async requestSelection(): Promise<StopSelection | null> {
    return this.#outbox ? this.#page.selection() : null;
  }

  /** Null while there is no page. */
  async requestPictures(position: Position): Promise<readonly StopPicture[] | null> {
    return this.#outbox ? this.#page.pictures(position) : null;
  }

  dispose(): void {
    this.#disconnect();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#panel.dispose();
  }

  #connect(): void {
    this.#disconnect();
    this.#outbox = new Outbox((packet) => this.#panel.webview.postMessage(packet));
  }

  #disconnect(): void {
    this.#outbox?.clear();
    this.#outbox = null;
    void this.#page.$rejectPendingCalls();
    this.#releaseFrame();
  }
}

/** `circles` for circles.nabla.json. */
export function specNameOf(uri: vscode.Uri): string {
  return (uri.path.split('/').pop() ?? '').replace(/\.nabla\.json$/, '');
}
