// Rename Symbol (F2) and Go to Definition on the name of a layer.
import * as vscode from 'vscode';
import { listLayerMentions, renamableAt, renameLayer, type Spec } from '../../model-spec';
import { isSpec, type SpecDocuments } from './spec-documents';

const SELECTOR: vscode.DocumentSelector = { pattern: '**/*.nabla.json' };

export function registerRename(documents: SpecDocuments): vscode.Disposable {
  const specOf = (document: vscode.TextDocument): Spec | undefined =>
    isSpec(document) ? documents.analysisOf(document).spec : undefined;
  const toRange = (document: vscode.TextDocument, { start, end }: { start: number; end: number }): vscode.Range =>
    new vscode.Range(document.positionAt(start), document.positionAt(end));
  return vscode.Disposable.from(
    vscode.languages.registerRenameProvider(SELECTOR, {
      prepareRename(document, position) {
        const spec = specOf(document);
        if (!spec) throw new Error(vscode.l10n.t('Fix the errors of this spec first.'));
        const target = renamableAt(spec, document.offsetAt(position));
        if (!target) throw new Error(vscode.l10n.t('Only the name of a layer can be renamed.'));
        const range = toRange(document, target.range);
        return { range, placeholder: document.getText(range) };
      },
      provideRenameEdits(document, position, newName) {
        const spec = specOf(document);
        const target = spec && renamableAt(spec, document.offsetAt(position));
        if (!target) return undefined;
        const edits = renameLayer(spec, target.layer, newName);
        if (typeof edits === 'string') throw new Error(edits);
        const edit = new vscode.WorkspaceEdit();
        for (const each of edits) edit.replace(document.uri, toRange(document, each), each.text);
        return edit;
      },
    }),
    vscode.languages.registerDefinitionProvider(SELECTOR, {
      provideDefinition(document, position) {
        const spec = specOf(document);
        const offset = document.offsetAt(position);
        const mention =
          spec && listLayerMentions(spec).find(({ range }) => range.start <= offset && offset <= range.end);
        const layer = spec?.layers.find(({ path }) => path.join('\n') === mention?.layer.join('\n'));
        return layer && new vscode.Location(document.uri, toRange(document, layer.range));
      },
    }),
  );
}
