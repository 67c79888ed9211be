// Navigation in a spec: from the file that it names to that file, and to a layer by its name.
import path from 'node:path';
import * as vscode from 'vscode';
import { isInside } from '../../data-files/is-inside';
import { listCustomLayers } from '../../model-spec';
import { escapeUiText } from '../ui/escape-ui';
import { isSpec, type SpecDocuments, specLocationOf } from './spec-documents';

interface FileReference {
  /** The range of the path in the text, without quotes. */
  readonly range: vscode.Range;
  readonly target: vscode.Uri;
}

/** Registers links (Ctrl+click), Go to Definition (F12), and symbols (outline, Go to Symbol). */
export function registerNavigation(documents: SpecDocuments): vscode.Disposable {
  const selector: vscode.DocumentSelector = { pattern: '**/*.nabla.json' };
  return vscode.Disposable.from(
    vscode.languages.registerDocumentLinkProvider(selector, {
      provideDocumentLinks: async (document) => {
        await documents.whenAnalyzed(document);
        return fileReferencesOf(document, documents).map(({ range, target }) => {
          const link = new vscode.DocumentLink(range, target);
          link.tooltip = vscode.l10n.t('Open the file');
          return link;
        });
      },
    }),
    vscode.languages.registerDefinitionProvider(selector, {
      provideDefinition: (document, position) =>
        fileReferencesOf(document, documents)
          .filter(({ range }) => range.contains(position))
          .map(({ target }) => new vscode.Location(target, new vscode.Position(0, 0))),
    }),
    vscode.languages.registerDocumentSymbolProvider(
      selector,
      {
        provideDocumentSymbols: async (document) => {
          await documents.whenAnalyzed(document);
          return layerSymbolsOf(document, documents);
        },
      },
      { label: vscode.l10n.t('Layers') },
    ),
  );
}

/** The files of custom layers and of the data. No file is accessed: only paths inside the workspace count. */
function fileReferencesOf(document: vscode.TextDocument, documents: SpecDocuments): FileReference[] {
  const spec = isSpec(document) ? documents.analysisOf(document).spec : undefined;
  if (!spec) return [];
  const { folder, root } = specLocationOf(document);
  const dataPath = (spec.data.options as { readonly path?: unknown }).path;
  const named = [
    ...listCustomLayers(spec).map(({ module, moduleRange }) => ({ range: moduleRange, file: module })),
    ...(typeof dataPath === 'string' ? [{ range: spec.source.locate(['data', 'path']), file: dataPath }] : []),
  ];
  return named.flatMap(({ range, file }) => {
    const target = path.resolve(folder, file);
    if (folder === '' || !isInside(target, root ?? folder)) return [];
    const [start, end] = [document.positionAt(range.start + 1), document.positionAt(range.end - 1)];
    return [{ range: new vscode.Range(start, end), target: vscode.Uri.file(target) }];
  });
}

function layerSymbolsOf(document: vscode.TextDocument, documents: SpecDocuments): vscode.DocumentSymbol[] {
  const spec = isSpec(document) ? documents.analysisOf(document).spec : undefined;
  return (spec?.layers ?? []).map(({ name, type, range }) => {
    const whole = new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
    return new vscode.DocumentSymbol(escapeUiText(name), type, vscode.SymbolKind.Class, whole, whole);
  });
}
