// Opens a new spec.
import * as vscode from 'vscode';
import { newSpecTemplate } from '../templates';

/** An unsaved document with an unused name, in the first folder of the workspace if there is one. */
export async function openNewSpec(): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(await unusedUri());
  if (document.getText() === '') {
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), newSpecTemplate);
    await vscode.workspace.applyEdit(edit);
  }
  await vscode.window.showTextDocument(document);
  return document;
}

async function unusedUri(): Promise<vscode.Uri> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'model.nabla.json' : `model-${number}.nabla.json`;
    const file = folder && vscode.Uri.joinPath(folder, name);
    const uri = file ? file.with({ scheme: 'untitled' }) : vscode.Uri.from({ scheme: 'untitled', path: name });
    const isOpen = vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
    if (!isOpen && !(file && (await fileExists(file)))) return uri;
  }
}

export async function fileExists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
