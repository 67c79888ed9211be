// Code lenses in a spec: at its top the commands of its run, or what an empty one can begin with, and above each custom
// layer one that debugs it.
import * as vscode from 'vscode';
import { listCustomLayers } from '../../model-spec';
import type { CommandName } from '../commands/command-table';
import type { RunManager } from '../run/run-manager';
import { escapeUiText } from '../ui/escape-ui';
import { showsCodeLenses } from '../ui/settings';
import { newSpecSnippet } from '../templates';
import { isBlankSpec, isSpec, type SpecDocuments } from './spec-documents';

export function registerCodeLens(documents: SpecDocuments, runs: RunManager): vscode.Disposable {
  const onDidChange = new vscode.EventEmitter<void>();
  let running = '';
  return vscode.Disposable.from(
    onDidChange,
    runs.onDidChange(() => {
      const now = runs.all.flatMap(({ uri, controller }) => (controller.isRunning ? uri.toString() : [])).join('\n');
      if (now === running) return;
      running = now;
      onDidChange.fire();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('nablascope.codeLens')) onDidChange.fire();
    }),
    vscode.languages.registerCodeLensProvider(
      { pattern: '**/*.nabla.json' },
      {
        onDidChangeCodeLenses: onDidChange.event,
        provideCodeLenses: async (document) => {
          if (!isSpec(document) || !showsCodeLenses()) return [];
          if (isBlankSpec(document)) return starterLenses(document);
          await documents.whenAnalyzed(document);
          return [...runLenses(document, runs), ...debugLenses(document, documents)];
        },
      },
    ),
  );
}

/** What an empty file can begin with. */
function starterLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
  const top = new vscode.Range(0, 0, 0, 0);
  return [
    new vscode.CodeLens(top, {
      title: vscode.l10n.t('Insert a spec that trains'),
      command: 'editor.action.insertSnippet',
      arguments: [{ snippet: newSpecSnippet }],
    }),
    new vscode.CodeLens(top, {
      title: vscode.l10n.t('Answer three questions…'),
      command: 'nablascope.newModel',
      arguments: [uri],
    }),
  ];
}

function runLenses({ uri }: vscode.TextDocument, runs: RunManager): vscode.CodeLens[] {
  const isRunning = runs.get(uri)?.controller.isRunning === true;
  const actions: readonly (readonly [CommandName, string])[] = [
    ['open', vscode.l10n.t('∇ Open in Nablascope')],
    isRunning ? ['pause', vscode.l10n.t('Pause')] : ['run', vscode.l10n.t('Run')],
    ['step', vscode.l10n.t('Step')],
    ['check', vscode.l10n.t('Check')],
    ['diagnose', vscode.l10n.t('Diagnose')],
  ];
  const top = new vscode.Range(0, 0, 0, 0);
  return actions.map(
    ([name, title]) => new vscode.CodeLens(top, { title, command: `nablascope.${name}`, arguments: [uri] }),
  );
}

function debugLenses(document: vscode.TextDocument, documents: SpecDocuments): vscode.CodeLens[] {
  const { spec } = documents.analysisOf(document);
  return (spec ? listCustomLayers(spec) : []).map(({ name, range }) => {
    const at = document.positionAt(range.start);
    return new vscode.CodeLens(new vscode.Range(at, at), {
      title: vscode.l10n.t('Debug {0}', escapeUiText(name)),
      command: 'nablascope.debugLayer',
      arguments: [document.uri, name],
    });
  });
}
