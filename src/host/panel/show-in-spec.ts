// Shows a place of a spec in an editor, next to its panel and not in its place.
import * as vscode from 'vscode';

/** Opens the spec if it is not visible, and takes the focus. */
export async function showInSpec(
  uri: vscode.Uri,
  panelColumn: vscode.ViewColumn | undefined,
  selection: vscode.Range,
): Promise<void> {
  const visibleEditor = vscode.window.visibleTextEditors.find(
    ({ document }) => document.uri.toString() === uri.toString(),
  );
  await vscode.window.showTextDocument(uri, {
    viewColumn: visibleEditor?.viewColumn ?? otherColumn(panelColumn),
    selection,
  });
}

export const otherColumn = (column: vscode.ViewColumn | undefined): vscode.ViewColumn =>
  column === vscode.ViewColumn.One ? vscode.ViewColumn.Two : vscode.ViewColumn.One;
