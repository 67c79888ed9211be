// A line above every spec that opens its panel, for those who do not look for a button.
import * as vscode from 'vscode';
import { isSpec } from './spec-documents';

export function registerCodeLens(): vscode.Disposable {
  return vscode.languages.registerCodeLensProvider(
    { pattern: '**/*.nabla.json' },
    {
      provideCodeLenses: (document) => {
        if (!isSpec(document)) return [];
        const title = '∇ Open in Nablascope';
        return [new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { title, command: 'nablascope.open', arguments: [document.uri] })];
      },
    },
  );
}
