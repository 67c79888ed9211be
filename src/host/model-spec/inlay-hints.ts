// Behind each layer of a spec: the shape of its output and its parameters.
import * as vscode from 'vscode';
import { formatInteger, formatShape } from '../../presentation/numbers';
import type { RunManager } from '../run/run-manager';
import { showsInlayHints } from '../ui/settings';
import { countParameters, groupByRange, type LayerFacts } from './layer-facts';
import { isSpec, type SpecDocuments } from './spec-documents';
import { factsOf } from './spec-facts';

export function registerInlayHints(documents: SpecDocuments, runs: RunManager): vscode.Disposable {
  const onDidChange = new vscode.EventEmitter<void>();
  const models = new Map<string, unknown>();
  return vscode.Disposable.from(
    onDidChange,
    documents.onDidAnalyze(() => onDidChange.fire()),
    // A run that was opened knows shapes that the text alone does not.
    runs.onDidChange(({ uri, controller: { view } }) => {
      if (models.get(uri.toString()) === view.model) return;
      models.set(uri.toString(), view.model);
      onDidChange.fire();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('nablascope.inlayHints')) onDidChange.fire();
    }),
    vscode.languages.registerInlayHintsProvider(
      { pattern: '**/*.nabla.json' },
      {
        onDidChangeInlayHints: onDidChange.event,
        provideInlayHints: async (document, range) => {
          if (!isSpec(document) || !showsInlayHints()) return [];
          await documents.whenAnalyzed(document);
          return groupByRange(factsOf(document, documents, runs)).flatMap((group) => hintOf(document, range, group));
        },
      },
    ),
  );
}

function hintOf(
  document: vscode.TextDocument,
  range: vscode.Range,
  copies: readonly LayerFacts[],
): vscode.InlayHint | [] {
  const last = copies.at(-1);
  if (!last) return [];
  const position = document.positionAt(last.layer.range.end);
  if (!range.contains(position)) return [];
  const counts = copies.map(countParameters);
  const [count = 0] = counts;
  const parameters = counts.every((other) => other === count)
    ? `${copies.length > 1 ? `${copies.length} × ` : ''}${formatInteger(count)}`
    : formatInteger(counts.reduce((sum, each) => sum + each, 0));
  const hint = new vscode.InlayHint(
    position,
    `→ ${formatShape(last.outputShape)}${counts.some((each) => each > 0) ? ` · ${vscode.l10n.t('{0} params', parameters)}` : ''}`,
  );
  hint.paddingLeft = true;
  return hint;
}
