// Loads layers of the user's own anew when one of their files was saved, by the editor or by anything else.
import * as vscode from 'vscode';
import type { Runs } from './runs';

const CODE = /\.[cm]?[jt]s$/;

export function watchLayers(runs: Runs, fail: (error: unknown) => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher('**/*.{ts,mts,cts,js,mjs,cjs}');
  const changed = ({ fsPath }: vscode.Uri): void => {
    if (!CODE.test(fsPath)) return;
    for (const { controller } of runs.all) controller.fileChanged(fsPath).catch(fail);
  };
  return vscode.Disposable.from(
    watcher,
    watcher.onDidChange(changed),
    watcher.onDidCreate(changed),
    watcher.onDidDelete(changed),
    // The editor tells at once; the file system takes its time.
    vscode.workspace.onDidSaveTextDocument(({ uri }) => changed(uri)),
  );
}
