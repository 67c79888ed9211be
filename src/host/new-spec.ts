// Opens a new spec to start from.
import * as vscode from 'vscode';
import { newSpecText } from './new-spec-text';

/** An unsaved document with a name of its own, in the first folder of the workspace where there is one. */
export async function openNewSpec(): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(await freeUri());
  if (document.getText() === '') {
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), newSpecText);
    await vscode.workspace.applyEdit(edit);
  }
  await vscode.window.showTextDocument(document);
  return document;
}

async function freeUri(): Promise<vscode.Uri> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'model.nabla.json' : `model-${number}.nabla.json`;
    const file = folder && vscode.Uri.joinPath(folder, name);
    const uri = file ? file.with({ scheme: 'untitled' }) : vscode.Uri.from({ scheme: 'untitled', path: name });
    const open = vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
    if (!open && !(file && (await exists(file)))) return uri;
  }
}

export async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
