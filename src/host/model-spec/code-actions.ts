// The light bulb in a spec: corrects a name or value, applies the fix of a finding or silences its rule, and fills an
// empty file with a first network.
import * as vscode from 'vscode';
import { ruleCodes } from '../../diagnostics';
import { newSpecSnippet, newSpecTemplate } from '../templates';
import type { Problem, SpecChange } from '../../protocol/problem';
import { escapeUiText } from '../ui/escape-ui';
import type { SpecDiagnostics } from './spec-diagnostics';
import { isBlankSpec } from './spec-documents';
import { createSpecEdit } from './spec-edits';

const SELECTOR: vscode.DocumentSelector = { pattern: '**/*.nabla.json' };

const wholeRange = (document: vscode.TextDocument): vscode.Range =>
  new vscode.Range(new vscode.Position(0, 0), document.positionAt(document.getText().length));

export function registerCodeActions(problems: SpecDiagnostics): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeActionsProvider(
      SELECTOR,
      {
        provideCodeActions: (document, _range, { diagnostics }) =>
          isBlankSpec(document)
            ? [insertSpecAction(document)]
            : diagnostics.flatMap((diagnostic) => {
                const problem = problems.problemOf(document, diagnostic);
                return problem ? problemActions(document, diagnostic, problem) : [];
              }),
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
    vscode.languages.registerCompletionItemProvider(SELECTOR, {
      provideCompletionItems: (document) => (isBlankSpec(document) ? [newSpecCompletion(document)] : []),
    }),
  );
}

function insertSpecAction(document: vscode.TextDocument): vscode.CodeAction {
  const action = new vscode.CodeAction(vscode.l10n.t('Insert a spec that trains'), vscode.CodeActionKind.QuickFix);
  action.edit = new vscode.WorkspaceEdit();
  action.edit.replace(document.uri, wholeRange(document), newSpecTemplate);
  action.isPreferred = true;
  return action;
}

function newSpecCompletion(document: vscode.TextDocument): vscode.CompletionItem {
  const item = new vscode.CompletionItem(vscode.l10n.t('Nablascope spec'), vscode.CompletionItemKind.Snippet);
  item.detail = vscode.l10n.t('A small network that trains: two classes of points, one hidden layer');
  item.insertText = new vscode.SnippetString(newSpecSnippet);
  item.range = wholeRange(document);
  item.filterText = document.getText();
  return item;
}

/** The correction of a problem, its fix, and for a finding the spec key that silences its rule. */
function problemActions(
  document: vscode.TextDocument,
  diagnostic: vscode.Diagnostic,
  { code, replacement, fix }: Problem,
): vscode.CodeAction[] {
  const silence = { path: ['rules', code], value: 'off' };
  return [
    ...(replacement === undefined ? [] : [replaceAction(document, diagnostic, replacement)]),
    ...(fix ? [editAction(document, diagnostic, fix.title, fix.changes)] : []),
    ...(ruleCodes.has(code)
      ? [editAction(document, diagnostic, vscode.l10n.t('Silence {0} in this spec', code), [silence])]
      : []),
  ];
}

function replaceAction(
  { uri }: vscode.TextDocument,
  diagnostic: vscode.Diagnostic,
  replacement: string,
): vscode.CodeAction {
  const action = new vscode.CodeAction(
    vscode.l10n.t('Change to {0}', escapeUiText(replacement)),
    vscode.CodeActionKind.QuickFix,
  );
  action.edit = new vscode.WorkspaceEdit();
  // VS Code has moved the range along with the text.
  action.edit.replace(uri, diagnostic.range, replacement);
  action.diagnostics = [diagnostic];
  action.isPreferred = true;
  return action;
}

function editAction(
  document: vscode.TextDocument,
  diagnostic: vscode.Diagnostic,
  title: string,
  changes: readonly SpecChange[],
): vscode.CodeAction {
  const action = new vscode.CodeAction(escapeUiText(title), vscode.CodeActionKind.QuickFix);
  action.edit = createSpecEdit(document, changes).edit;
  action.diagnostics = [diagnostic];
  return action;
}
