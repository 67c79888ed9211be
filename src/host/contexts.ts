// Context keys, so that menus, keys and the palette offer only what can be done now.
import * as vscode from 'vscode';
import { ownFiles } from './layer-files';
import type { Runs } from './runs';

export class Contexts implements vscode.Disposable {
  readonly #set = new Map<string, unknown>();
  readonly #runs: Runs;
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(runs: Runs) {
    this.#runs = runs;
    this.#subscriptions = [
      runs.onChanged(() => this.#refresh()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#refresh()),
    ];
    this.#refresh();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refresh(): void {
    const run = this.#runs.active;
    const view = run?.controller.view;
    const state = view?.state;
    this.#put('nablascope.panelActive', run?.panel.active ?? false);
    this.#put('nablascope.hasRun', state?.kind === 'run');
    this.#put('nablascope.running', run?.controller.running ?? false);
    this.#put('nablascope.checking', (view?.checking ?? null) !== null);
    this.#put('nablascope.restorable', state?.kind === 'stopped' && state.restorable);
    this.#put('nablascope.stopped', state?.kind === 'stopped');
    this.#putFiles(this.#runs.all.flatMap(({ controller }) => ownFiles(controller).map(({ file }) => file)));
  }

  /** Files that layers of open runs are in. */
  #putFiles(files: readonly string[]): void {
    this.#put('nablascope.layerFiles', Object.fromEntries(files.map((file) => [file, true])), files.join('\n'));
  }

  /** @param same tells it from others. */
  #put(key: string, value: unknown, same = value): void {
    if (this.#set.get(key) === same) return;
    this.#set.set(key, same);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
