// Code lenses in a spec: at its top the commands of its run, or while it is empty what it can begin with, and above each custom layer one that debugs it.
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
    ['open', '∇ Open in Nablascope'],
    isRunning ? ['pause', 'Pause'] : ['run', 'Run'],
    ['step', 'Step'],
    ['check', 'Check'],
    ['diagnose', 'Diagnose'],
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
      title: `Debug ${escapeUiText(name)}`,
      command: 'nablascope.debugLayer',
      arguments: [document.uri, name],
    });
  });
}
