import * as vscode from 'vscode';
import { replaceFile } from '../data-files/replace-file';

/** Writes a file completely or not at all. File systems of other extensions decide themselves. */
export async function writeFile(uri: vscode.Uri, content: Uint8Array): Promise<void> {
  if (uri.scheme === 'file') await replaceFile(uri.fsPath, content);
  else await vscode.workspace.fs.writeFile(uri, content);
}
