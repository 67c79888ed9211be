// Reloads custom layers when one of their files was saved, in the editor or elsewhere.
import * as vscode from 'vscode';
import type { RunManager } from '../run/run-manager';

const SCRIPT_FILE = /\.[cm]?[jt]s$/;

export function watchLayerFiles(runs: RunManager, onError: (error: unknown) => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher('**/*.{ts,mts,cts,js,mjs,cjs}');
  const handleChange = ({ fsPath }: vscode.Uri): void => {
    if (!SCRIPT_FILE.test(fsPath)) return;
    for (const { controller } of runs.all) controller.handleFileChange(fsPath).catch(onError);
  };
  return vscode.Disposable.from(
    watcher,
    watcher.onDidChange(handleChange),
    watcher.onDidCreate(handleChange),
    watcher.onDidDelete(handleChange),
    // The editor reports a save at once, the file system later.
    vscode.workspace.onDidSaveTextDocument(({ uri }) => handleChange(uri)),
  );
}
