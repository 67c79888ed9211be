// Creates the parts of the extension, connects them, and returns its API.
import * as vscode from 'vscode';
import { createApi, type NablascopeApi } from './host/api';
import { registerAgentTools } from './host/agent-tools';
import { registerCodeActions } from './host/model-spec/code-actions';
import { CustomLayerPermissions } from './host/custom-layers/custom-layer-permissions';
import { registerCodeLens } from './host/model-spec/code-lens';
import { registerHover } from './host/model-spec/hover';
import { registerInlayHints } from './host/model-spec/inlay-hints';
import { LiveValues } from './host/model-spec/live-values';
import { registerNavigation } from './host/model-spec/navigation';
import { registerRename } from './host/model-spec/rename';
import { registerCommands } from './host/commands/commands';
import { ContextKeys } from './host/commands/context-keys';
import { SpecDiagnostics } from './host/model-spec/spec-diagnostics';
import { registerDebugger } from './host/debug/run-debugger';
import { LayerDebugger } from './host/custom-layers/layer-debugger';
import { watchLayerFiles } from './host/custom-layers/watch-layer-files';
import { registerLectureCompletion } from './host/lectures/lecture-completion';
import { LectureDocuments } from './host/lectures/lecture-documents';
import { LectureManager } from './host/lectures/lecture-manager';
import { ExampleFiles } from './host/home/example-files';
import { registerHome } from './host/home/home';
import { NewLayerCommand } from './host/custom-layers/new-layer';
import { RunStore } from './host/run/run-store';
import { RunManager } from './host/run/run-manager';
import { SelectionSync } from './host/panel/selection-sync';
import { registerPanelSerializer } from './host/panel/panel-serializer';
import { SpecDocuments } from './host/model-spec/spec-documents';
import { StatusBar } from './host/ui/status-bar';
import { TestExplorer } from './test-explorer/test-explorer';

export type { NablascopeApi, ObservedRun } from './host/api';

/** Set by `activate`, because VS Code passes nothing to `deactivate`. */
let saveRuns: (() => Promise<void>) | undefined;

export function activate({
  extension,
  extensionUri,
  storageUri,
  globalStorageUri,
  globalState,
  workspaceState,
  subscriptions,
}: vscode.ExtensionContext): NablascopeApi {
  const log = vscode.window.createOutputChannel('Nablascope', { log: true });
  const logError = (error: unknown): void => log.error(error instanceof Error ? error : String(error));
  const store = new RunStore((storageUri ?? globalStorageUri).fsPath, logError);
  const documents = new SpecDocuments();
  const diagnostics = new SpecDiagnostics(documents);
  const engineFile = vscode.Uri.joinPath(extensionUri, 'dist', 'engine-process.js').fsPath;
  const permissions = new CustomLayerPermissions(globalState);
  const runs = new RunManager({ extensionUri, permissions, engineFile, documents, diagnostics, store, log });
  const layerDebugger = new LayerDebugger(vscode.Uri.joinPath(extensionUri, 'dist').fsPath, log);
  const testExplorer = new TestExplorer({ documents, permissions, engineFile, onError: logError });
  const version = extensionVersionOf(extension);
  const lectureDocuments = new LectureDocuments(documents, runs, logError);
  const lectures = new LectureManager({
    documents: lectureDocuments,
    runs,
    state: workspaceState,
    version,
    onError: logError,
  });
  const examples = new ExampleFiles(extensionUri, globalStorageUri, version);
  saveRuns = () => runs.disposeAll();

  subscriptions.push(
    log,
    permissions,
    documents,
    diagnostics,
    runs,
    new SelectionSync(documents, runs, logError),
    new StatusBar(runs),
    new ContextKeys(runs, permissions, lectures),
    lectureDocuments,
    lectures,
    registerLectureCompletion(lectureDocuments),
    registerCodeActions(diagnostics),
    registerCodeLens(documents, runs),
    registerInlayHints(documents, runs),
    registerHover(extensionUri, documents, runs),
    registerNavigation(documents),
    registerRename(documents),
    new LiveValues(documents, runs),
    watchLayerFiles(runs, logError),
    registerHome(runs, examples, workspaceState),
    registerCommands({
      runs,
      examples,
      permissions,
      layerDebugger,
      lectures,
      newLayer: new NewLayerCommand(extensionUri, documents),
      requestPermission: (spec) => testExplorer.requestPermission(spec),
      version,
      log,
    }),
    layerDebugger,
    registerDebugger(runs, layerDebugger),
    registerAgentTools(vscode.Uri.joinPath(extensionUri, 'dist', 'cli.js').fsPath, permissions),
    registerPanelSerializer(runs, log),
    testExplorer,
  );
  documents.start();
  return createApi(runs);
}

export async function deactivate(): Promise<void> {
  await saveRuns?.();
}

const extensionVersionOf = ({ packageJSON }: vscode.Extension<unknown>): string =>
  (packageJSON as { readonly version: string }).version;
