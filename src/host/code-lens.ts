// A line above every spec that opens its panel, for those who do not look for a button, and one above each layer of the
// user's own that debugs it.
import * as vscode from 'vscode';
import { ownLayers } from './layer-files';
import { plain } from './plain';
import { isSpec, type SpecDocuments } from './spec-documents';

export function registerCodeLens(documents: SpecDocuments): vscode.Disposable {
  return vscode.languages.registerCodeLensProvider(
    { pattern: '**/*.nabla.json' },
    {
      provideCodeLenses: (document) => {
        if (!isSpec(document)) return [];
        const title = '∇ Open in Nablascope';
        const open = new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { title, command: 'nablascope.open', arguments: [document.uri] });
        const { spec } = documents.sourceOf(document);
        const own = spec ? ownLayers(spec) : [];
        const debug = own.map(({ name, index }) => {
          const at = document.positionAt(spec?.layers[index].range.start ?? 0);
          return new vscode.CodeLens(new vscode.Range(at, at), { title: `Debug ${plain(name)}`, command: 'nablascope.debugLayer', arguments: [document.uri, name] });
        });
        return [open, ...debug];
      },
    },
  );
}
