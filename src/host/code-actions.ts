// A quick fix for a name that is nearly a known one.
import * as vscode from 'vscode';

const suggestion = /Did you mean ("[^"]+")\?/;

/** The known name in a problem's words, quotes included. */
export const suggestionOf = (message: string): string | undefined => suggestion.exec(message)?.[1];

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
