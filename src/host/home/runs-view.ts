// The view of open runs in the side bar: where each one is.
import * as vscode from 'vscode';
import type { OpenRun, RunManager } from '../run/run-manager';
import { describeRun } from '../run/describe-run';
import { escapeUiText } from '../ui/escape-ui';
import { RefreshThrottle } from '../ui/refresh-throttle';

const REFRESH_INTERVAL_MS = 500;

const icons: Readonly<Record<string, string>> = {
  running: 'play',
  seeking: 'history',
  paused: 'debug-pause',
  finished: 'circle-filled',
  diverged: 'error',
};

export class RunsView implements vscode.TreeDataProvider<OpenRun>, vscode.Disposable {
  readonly #runs: RunManager;
  readonly #changes = new vscode.EventEmitter<void>();
  readonly #throttle = new RefreshThrottle(REFRESH_INTERVAL_MS, () => this.#changes.fire());
  readonly #subscription: vscode.Disposable;
  readonly onDidChangeTreeData = this.#changes.event;

  constructor(runs: RunManager) {
    this.#runs = runs;
    this.#subscription = runs.onDidChange(() => this.#throttle.schedule());
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#throttle.dispose();
    this.#changes.dispose();
  }

  getChildren(run?: OpenRun): OpenRun[] {
    return run ? [] : this.#runs.all;
  }

  getTreeItem(run: OpenRun): vscode.TreeItem {
    const { view, location } = run.controller;
    const item = new vscode.TreeItem(escapeUiText(view.model?.name ?? location.file));
    item.id = run.uri.toString();
    item.description = describeRun(view);
    item.tooltip = escapeUiText(run.uri.fsPath);
    const icon = view.state.kind === 'run' ? (icons[view.frame?.status ?? ''] ?? 'circle-outline') : 'warning';
    item.iconPath = new vscode.ThemeIcon(icon);
    item.command = { command: 'nablascope.open', title: vscode.l10n.t('Open Panel'), arguments: [run.uri] };
    return item;
  }
}
