// Opens a new spec.
import * as vscode from 'vscode';
import { newSpecTemplate } from '../templates';

/** An unsaved document with an unused name, in the first folder of the workspace if there is one. */
export async function openNewSpec(): Promise<vscode.TextDocument> {
  const document = await openUnsaved(vscode.workspace.workspaceFolders?.[0]?.uri, 'model', newSpecTemplate);
  await vscode.window.showTextDocument(document);
  return document;
}

/** An unsaved spec next to another one, so that its paths lead to the same files. @param label goes into its name */
export async function openUnsavedVariant(uri: vscode.Uri, label: string, text: string): Promise<vscode.TextDocument> {
  const name = (uri.path.split('/').pop() ?? '').replace(/\.nabla\.json$/, '');
  const folder = uri.path.includes('/')
    ? vscode.Uri.joinPath(uri, '..').with({ scheme: uri.scheme === 'untitled' ? 'file' : uri.scheme })
    : undefined;
  return openUnsavedSpec(folder, `${name}-${label}`, text);
}

/** An unsaved spec with an unused name. @param folder undefined without a workspace */
export async function openUnsavedSpec(
  folder: vscode.Uri | undefined,
  name: string,
  text: string,
): Promise<vscode.TextDocument> {
  const document = await openUnsaved(folder, name, text);
  await vscode.window.showTextDocument(document, { preview: false, viewColumn: vscode.ViewColumn.One });
  return document;
}

async function openUnsaved(folder: vscode.Uri | undefined, name: string, text: string): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(await unusedUri(folder, name));
  if (document.getText() === '') {
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), text);
    await vscode.workspace.applyEdit(edit);
  }
  return document;
}

async function unusedUri(folder: vscode.Uri | undefined, baseName: string): Promise<vscode.Uri> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${baseName}.nabla.json` : `${baseName}-${number}.nabla.json`;
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
