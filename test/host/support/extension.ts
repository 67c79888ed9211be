// What most tests in the window need from VS Code's API: the extension, an example in an editor, Problems, the theme.
// Waits for conditions, with a limit, and never for a fixed time.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';

export const extensionId = 'nablascope.nablascope';

/** The extension, activated. */
export async function activateExtension(): Promise<vscode.Extension<unknown>> {
  const extension = vscode.extensions.getExtension(extensionId);
  assert.ok(extension, `${extensionId} is not installed in this window`);
  await extension.activate();
  return extension;
}

/** Absolute path of a file in the workspace (a copy of `examples`). */
export function inWorkspace(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'no folder is open');
  return vscode.Uri.joinPath(folder.uri, name);
}

export async function openExample(name: string): Promise<vscode.TextEditor> {
  const document = await vscode.workspace.openTextDocument(inWorkspace(name));
  return vscode.window.showTextDocument(document, vscode.ViewColumn.One);
}

export async function closeAllEditors(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

/** Repeats until `question` returns something truthy; after the limit, reports the last value. */
export async function eventually<T>(
  what: string,
  question: () => T | PromiseLike<T>,
  { timeout = 120_000 } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeout;
  let last: unknown;
  do {
    try {
      const answer = await question();
      if (answer) return answer as NonNullable<T>;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  } while (Date.now() < deadline);
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`Waited ${timeout} ms in vain for: ${what}. Last seen: ${seen}`);
}

/** The diagnostics of a document, once there are at least `count`. */
export function problemsOf(uri: vscode.Uri, count: number): Promise<vscode.Diagnostic[]> {
  return eventually(`${count} problems in ${uri.path}`, () => {
    const found = vscode.languages.getDiagnostics(uri);
    return found.length === count ? found : undefined;
  });
}

/**
 * Switches the color theme, for example to `Default Light Modern`, and waits for its kind. If the kind is the same it
 * does not wait, because VS Code does not always report the change.
 */
export async function setTheme(id: string): Promise<void> {
  await vscode.workspace.getConfiguration('workbench').update('colorTheme', id, vscode.ConfigurationTarget.Global);
  await eventually(`the theme ${id}`, () => vscode.window.activeColorTheme.kind === kindOf(id));
}

function kindOf(theme: string): vscode.ColorThemeKind {
  const light = theme.includes('Light');
  if (theme.includes('High Contrast'))
    return light ? vscode.ColorThemeKind.HighContrastLight : vscode.ColorThemeKind.HighContrast;
  return light ? vscode.ColorThemeKind.Light : vscode.ColorThemeKind.Dark;
}
