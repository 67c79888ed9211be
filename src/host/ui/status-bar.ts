// A status bar item while a run is open: its step and loss, updated at a readable rate.
import * as vscode from 'vscode';
import { escapeUiText } from './escape-ui';
import { describeRun } from '../run/describe-run';
import type { RunManager } from '../run/run-manager';
import { RefreshThrottle } from './refresh-throttle';

const REFRESH_INTERVAL_MS = 100;

export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('nablascope.status', vscode.StatusBarAlignment.Left, 0);
  readonly #runs: RunManager;
  readonly #subscriptions: readonly vscode.Disposable[];
  readonly #throttle = new RefreshThrottle(REFRESH_INTERVAL_MS, () => this.#refresh());

  constructor(runs: RunManager) {
    this.#runs = runs;
    this.#item.name = 'Nablascope';
    this.#item.command = 'nablascope.open';
    this.#subscriptions = [
      this.#item,
      this.#throttle,
      runs.onDidChange(() => this.#throttle.schedule()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#throttle.schedule()),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refresh(): void {
    const run = this.#runs.active;
    if (!run) {
      this.#item.hide();
      return;
    }
    const text = describeRun(run.controller.view);
    this.#item.text = `∇ ${text}`;
    this.#item.tooltip = `Nablascope, ${escapeUiText(run.controller.location.file)}: ${text}`;
    this.#item.show();
  }
}
