// Changes of a spec by path, as edits of its document that can be undone.
import * as vscode from 'vscode';
import { editSpec } from '../../model-spec';
import type { SpecChange } from '../../protocol/problem';

export interface SpecEdit {
  readonly edit: vscode.WorkspaceEdit;
  /** The replaced range. */
  readonly range: vscode.Range;
}

export function createSpecEdit(document: vscode.TextDocument, changes: readonly SpecChange[]): SpecEdit {
  const { start, end, text } = editSpec(document.getText(), changes);
  const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, text);
  return { edit, range };
}
