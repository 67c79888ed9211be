// A quick fix for a name that is nearly a known one.
import * as vscode from 'vscode';
import { suggestionOf } from './suggestion';

export function registerCodeActions(): vscode.Disposable {
  return vscode.languages.registerCodeActionsProvider(
    { pattern: '**/*.nabla.json' },
    {
      provideCodeActions: ({ uri }, _range, { diagnostics }) =>
        diagnostics.flatMap((diagnostic) => {
          const name = diagnostic.source === 'Nablascope' ? suggestionOf(diagnostic.message) : undefined;
          if (name === undefined) return [];
          const action = new vscode.CodeAction(`Change to ${name}`, vscode.CodeActionKind.QuickFix);
          action.edit = new vscode.WorkspaceEdit();
          action.edit.replace(uri, diagnostic.range, name);
          action.diagnostics = [diagnostic];
          action.isPreferred = true;
          return [action];
        }),
    },
    { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
  );
}
