// Applies the fix of a finding to the text of its spec, as one edit that can be undone.
import * as vscode from 'vscode';
import type { QuickFix } from '../../protocol/problem';
import { createSpecEdit } from '../model-spec/spec-edits';
import type { RunController } from '../run/run-controller';
import type { Panel } from './panel';
import { showInSpec } from './show-in-spec';

/** A run, its panel and the file of its spec. */
export interface SpecWithRun {
  readonly uri: vscode.Uri;
  readonly panel: Panel;
  readonly controller: RunController;
}

/** Shows the change in the editor, where Undo takes it back. */
export async function applyQuickFix(
  { uri, panel, controller }: SpecWithRun,
  { title, changes }: QuickFix,
): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const { edit, range } = createSpecEdit(document, changes);
  if (!(await vscode.workspace.applyEdit(edit))) {
    controller.view.notify('error', vscode.l10n.t('The spec cannot be edited.'));
    return;
  }
  await showInSpec(uri, panel.viewColumn, new vscode.Range(range.start, range.start));
  controller.view.notify('info', vscode.l10n.t('Applied: {0}. Undo takes it back in the editor.', title));
}
