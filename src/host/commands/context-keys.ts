// Keeps VS Code's context keys up to date, so that menus, keys and the palette offer only what applies now.
import * as vscode from 'vscode';
import type { CustomLayerPermissions } from '../custom-layers/custom-layer-permissions';
import { customLayerFilesOf } from '../custom-layers/layer-files';
import { isSpec } from '../model-spec/spec-documents';
import type { LectureManager } from '../lectures/lecture-manager';
import type { RunManager } from '../run/run-manager';
import { contextKeys } from './command-table';

export class ContextKeys implements vscode.Disposable {
  readonly #values = new Map<string, unknown>();
  readonly #runs: RunManager;
  readonly #permissions: CustomLayerPermissions;
  readonly #lectures: LectureManager;
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(runs: RunManager, permissions: CustomLayerPermissions, lectures: LectureManager) {
    this.#runs = runs;
    this.#permissions = permissions;
    this.#lectures = lectures;
    this.#subscriptions = [
      runs.onDidChange(() => this.#refresh()),
      permissions.onDidChange(() => this.#refresh()),
      lectures.onDidChange(() => this.#refresh()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#refresh()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#refresh()),
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
    const document = vscode.window.activeTextEditor?.document;
    this.#setKey(contextKeys.hasTarget, run !== undefined || (document !== undefined && isSpec(document)));
    this.#setKey(
      contextKeys.specVisible,
      vscode.window.visibleTextEditors.some((editor) => isSpec(editor.document)),
    );
    this.#setKey(contextKeys.otherJson, document?.languageId === 'json' && !isSpec(document));
    this.#setKey(contextKeys.panelActive, run?.panel.isActive ?? false);
    this.#setKey(contextKeys.hasRun, state?.kind === 'run');
    this.#setKey(contextKeys.running, run?.controller.isRunning ?? false);
    this.#setKey(contextKeys.checking, (view?.checkProgress ?? null) !== null);
    this.#setKey(contextKeys.restorable, state?.kind === 'stopped' && state.restorable);
    this.#setKey(contextKeys.stopped, state?.kind === 'stopped');
    this.#setKey(contextKeys.recordingLecture, this.#lectures.isActive(run, 'recording'));
    this.#setKey(contextKeys.playingLecture, this.#lectures.isActive(run, 'playing'));
    this.#setKey(contextKeys.hasPermissions, this.#permissions.allowedFolders.length > 0);
    const layerFiles = this.#runs.all.flatMap(({ controller }) =>
      customLayerFilesOf(controller).map(({ file }) => file),
    );
    this.#setKey(
      contextKeys.layerFiles,
      Object.fromEntries(layerFiles.map((file) => [file, true])),
      layerFiles.join('\n'),
    );
  }

  /** @param identity what the value is compared by; by default the value. */
  #setKey(key: string, value: unknown, identity = value): void {
    if (this.#values.get(key) === identity) return;
    this.#values.set(key, identity);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
