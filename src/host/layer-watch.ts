// Loads layers of the user's own anew when one of their files was saved, by the editor or by anything else.
import path from 'node:path';
import * as vscode from 'vscode';
import { layerFiles, ownLayers } from './layer-files';
import type { OpenRun, Runs } from './runs';

const CODE = /\.[cm]?[jt]s$/;

export class LayerWatch implements vscode.Disposable {
  readonly #runs: Runs;
  /** What each run's files held when they were loaded last. */
  readonly #loaded = new WeakMap<OpenRun, ReadonlyMap<string, string>>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(runs: Runs, fail: (error: unknown) => void) {
    this.#runs = runs;
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.{ts,mts,cts,js,mjs,cjs}');
    const changed = ({ fsPath }: vscode.Uri): void => {
      this.#changed(fsPath).catch(fail);
    };
    this.#subscriptions = [
      watcher,
      watcher.onDidChange(changed),
      watcher.onDidCreate(changed),
      watcher.onDidDelete(changed),
      // The editor tells at once; the file system takes its time.
      vscode.workspace.onDidSaveTextDocument(({ uri }) => changed(uri)),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #changed(file: string): Promise<void> {
    if (!CODE.test(file)) return;
    await Promise.all(this.#runs.all.map((run) => this.#reload(run, file)));
  }

  async #reload(run: OpenRun, file: string): Promise<void> {
    const { controller } = run;
    const { spec } = controller;
    const { folder } = controller.place;
    if (!spec || ownLayers(spec).length === 0) return;
    const files = await layerFiles(spec, folder);
    const before = this.#loaded.get(run);
    // One that is gone was among them before, or is what the spec names.
    const concerned = files.has(file) || before?.has(file) || ownLayers(spec).some(({ module }) => path.resolve(folder, module) === file);
    if (!concerned || (before && same(before, files))) return;
    this.#loaded.set(run, files);
    await controller.reload();
  }
}

const same = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([file, text]) => b.get(file) === text);
