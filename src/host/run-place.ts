// Where a document lies, for the files that its spec names.
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunPlace } from './run-options';

export function placeOf({ uri }: Pick<vscode.TextDocument, 'uri'>): RunPlace {
  const file = uri.path.split('/').pop() ?? uri.path;
  const workspace = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
  const workspaceFolder = workspace?.uri.scheme === 'file' ? workspace.uri.fsPath : null;
  const onDisk = uri.scheme === 'file' || (uri.scheme === 'untitled' && path.isAbsolute(uri.fsPath));
  const folder = onDisk ? path.dirname(uri.fsPath) : (workspaceFolder ?? '');
  // A lone file may read what lies beside it, and no more.
  const root = vscode.workspace.getWorkspaceFolder(uri) && workspaceFolder !== null ? workspaceFolder : folder;
  return { uri: uri.toString(), file, folder, root };
}
