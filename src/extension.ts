// The extension, as a table of contents: what it is made of, and what it gives to others.
import * as vscode from 'vscode';
import { createApi, type NablascopeApi } from './host/api';
import { registerCodeActions } from './host/code-actions';
import { CodeConsent } from './host/code-consent';
import { registerCodeLens } from './host/code-lens';
import { registerCommands } from './host/commands';
import { Contexts } from './host/contexts';
import { Diagnostics } from './host/diagnostics';
import { LayerDebugger } from './host/layer-debugger';
import { watchLayers } from './host/layer-watch';
import { NewLayer } from './host/new-layer';
import { RunStore } from './host/run-store';
import { Runs } from './host/runs';
import { SelectionSync } from './host/selection';
import { registerSerializer } from './host/serializer';
import { SpecDocuments } from './host/spec-documents';
import { Status } from './host/status';
import { TestExplorer } from './testing/explorer';

export type { NablascopeApi, ObservedRun } from './host/api';

/** What has to be kept when the window closes; VS Code hands `deactivate` nothing. */
let keepRuns: (() => Promise<void>) | undefined;

export function activate({ extension, extensionUri, storageUri, globalStorageUri, globalState, subscriptions }: vscode.ExtensionContext): NablascopeApi {
  const log = vscode.window.createOutputChannel('Nablascope', { log: true });
  const fail = (error: unknown): void => log.error(error instanceof Error ? error : String(error));
  const store = new RunStore((storageUri ?? globalStorageUri).fsPath, fail);
  const documents = new SpecDocuments();
  const diagnostics = new Diagnostics(documents);
  const engineFile = vscode.Uri.joinPath(extensionUri, 'dist', 'engine-process.js').fsPath;
  const consent = new CodeConsent(globalState);
  const runs = new Runs({ extensionUri, consent, engineFile, documents, diagnostics, store, log });
  const layerDebugger = new LayerDebugger(vscode.Uri.joinPath(extensionUri, 'dist').fsPath, log);
  keepRuns = () => runs.disposeAll();

  subscriptions.push(
    log,
    consent,
    documents,
    diagnostics,
    runs,
    new SelectionSync(documents, runs, fail),
    new Status(runs),
    new Contexts(runs),
    registerCodeActions(),
    registerCodeLens(documents),
    watchLayers(runs, fail),
    registerCommands(runs, { consent, layerDebugger, newLayer: new NewLayer(extensionUri, documents), version: versionOf(extension), log }),
    layerDebugger,
    registerSerializer(runs, log),
    new TestExplorer({ documents, consent, engineFile, fail }),
  );
  documents.start();
  return createApi(runs);
}

export async function deactivate(): Promise<void> {
  await keepRuns?.();
}

const versionOf = ({ packageJSON }: vscode.Extension<unknown>): string => (packageJSON as { readonly version: string }).version;
