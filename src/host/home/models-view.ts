// The view of the specs in the workspace, with the last result of each.
import * as vscode from 'vscode';
import { describeRun } from '../run/describe-run';
import type { OpenRun, RunManager } from '../run/run-manager';
import { findWorkspaceFiles, isSpec } from '../model-spec/spec-documents';
import { escapeUiText } from '../ui/escape-ui';
import { RefreshThrottle } from '../ui/refresh-throttle';

const REFRESH_INTERVAL_MS = 500;
const MAX_LISTED = 500;
const RESULTS_KEY = 'nablascope.lastResults';

/** By the URI of the spec. */
type LastResults = Readonly<Record<string, string>>;

export class ModelsView implements vscode.TreeDataProvider<vscode.Uri>, vscode.Disposable {
  readonly #memory: vscode.Memento;
  readonly #results: Map<string, string>;
  readonly #changes = new vscode.EventEmitter<vscode.Uri[] | undefined>();
  readonly #throttle = new RefreshThrottle(REFRESH_INTERVAL_MS, () => this.#refresh());
  readonly #subscriptions: readonly vscode.Disposable[];
  #listed: readonly vscode.Uri[] = [];
  /** The specs whose results have changed since the last refresh. */
  readonly #changed = new Set<string>();
  readonly onDidChangeTreeData = this.#changes.event;

  /** @param memory of the workspace */
  constructor(runs: RunManager, memory: vscode.Memento) {
    this.#memory = memory;
    this.#results = new Map(Object.entries(memory.get<LastResults>(RESULTS_KEY, {})));
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.nabla.json', false, true, false);
    const search = (): void => this.#changes.fire(undefined);
    this.#subscriptions = [
      this.#changes,
      this.#throttle,
      watcher,
      watcher.onDidCreate(search),
      watcher.onDidDelete(search),
      vscode.workspace.onDidChangeWorkspaceFolders(search),
      runs.onDidChange((run) => this.#record(run)),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async getChildren(uri?: vscode.Uri): Promise<vscode.Uri[]> {
    if (uri) return [];
    const listed = (await findWorkspaceFiles('.nabla.json', MAX_LISTED)).filter((each) => isSpec({ uri: each }));
    this.#listed = listed;
    return listed;
  }

  getTreeItem(uri: vscode.Uri): vscode.TreeItem {
    const item = new vscode.TreeItem(uri);
    item.label = escapeUiText(vscode.workspace.asRelativePath(uri).replace(/\.nabla\.json$/, ''));
    item.description = this.#results.get(uri.toString()) ?? vscode.l10n.t('not run yet');
    item.iconPath = vscode.ThemeIcon.File;
    item.command = { command: 'vscode.open', title: vscode.l10n.t('Open'), arguments: [uri] };
    item.contextValue = 'spec';
    return item;
  }

  #record({ uri, controller }: OpenRun): void {
    const { state, frame } = controller.view;
    if (state.kind !== 'run' || !frame || frame.status === 'ready') return;
    const key = uri.toString();
    const result = describeRun(controller.view);
    if (this.#results.get(key) === result) return;
    this.#results.set(key, result);
    this.#changed.add(key);
    this.#throttle.schedule();
  }

  #refresh(): void {
    const changed = this.#listed.filter((uri) => this.#changed.has(uri.toString()));
    this.#changed.clear();
    void this.#memory.update(RESULTS_KEY, Object.fromEntries(this.#results));
    if (changed.length > 0) this.#changes.fire(changed);
  }
}
