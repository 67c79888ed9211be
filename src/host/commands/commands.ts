// Registers the commands of the table, and implements what they act on. A command is about the run in front; a spec in
// front that has no panel gets one first.
import * as vscode from 'vscode';
import type { CustomLayerPermissions } from '../custom-layers/custom-layer-permissions';
import { customLayerFilesOf } from '../custom-layers/layer-files';
import type { LayerDebugger } from '../custom-layers/layer-debugger';
import type { NewLayerCommand } from '../custom-layers/new-layer';
import { backInto, breakOnSignChange, showVariable, whenDidThisStart } from '../debug/debug-commands';
import { openExample } from '../home/open-example';
import type { ExampleFiles, ListedExample } from '../home/example-files';
import { newModel } from '../home/new-model';
import { openNewSpec } from '../model-spec/new-spec';
import { findWorkspaceFiles, isSpec } from '../model-spec/spec-documents';
import { exportReport } from '../panel/export-report';
import type { LectureManager } from '../lectures/lecture-manager';
import { saveWeights } from '../panel/save-weights';
import type { OpenRun, RunManager } from '../run/run-manager';
import { escapeUiText } from '../ui/escape-ui';
import { type CommandContext, type CommandDescriptor, commandTable } from './command-table';
import { prompts } from './prompts';

const MAX_LISTED_SPECS = 200;

export interface CommandDependencies {
  readonly runs: RunManager;
  readonly examples: ExampleFiles;
  readonly permissions: CustomLayerPermissions;
  readonly layerDebugger: LayerDebugger;
  readonly lectures: LectureManager;
  readonly newLayer: NewLayerCommand;
  /** Asks whether the custom layers of a spec may run. */
  readonly requestPermission: (spec: vscode.Uri) => Promise<void>;
  /** Version of the extension. */
  readonly version: string;
  /** Holds what layers write to the console. */
  readonly log: vscode.LogOutputChannel;
}

export function registerCommands(dependencies: CommandDependencies): vscode.Disposable {
  const context = createCommandContext(dependencies);
  return vscode.Disposable.from(
    ...Object.entries<CommandDescriptor>(commandTable).map(([name, { run }]) =>
      vscode.commands.registerCommand(`nablascope.${name}`, (...args: unknown[]) => run(context, ...args)),
    ),
  );
}

function createCommandContext({
  runs,
  examples,
  permissions,
  layerDebugger,
  lectures,
  newLayer,
  requestPermission,
  version,
  log,
}: CommandDependencies): CommandContext {
  return {
    prompts,
    activeRun: async (uri) => {
      if (uri instanceof vscode.Uri && isSpec({ uri })) return runs.get(uri) ?? (await openUri(runs, uri));
      return runs.active ?? (await openActiveOrPick(runs));
    },
    openPanel: async (uri) => {
      await (uri instanceof vscode.Uri ? openUri(runs, uri) : openActiveOrPick(runs));
    },
    newModel: async (uri) => {
      await newModel(runs, uri instanceof vscode.Uri ? await vscode.workspace.openTextDocument(uri) : undefined);
    },
    newSpec: async () => {
      await openNewRun(runs);
    },
    openExample: (file) => openExample(runs, examples, file),
    restoreExample: async (item) => {
      const { file } = item as Partial<ListedExample>;
      if (file !== undefined) await examples.restore(file);
    },
    newLayer: (role) => newLayer.run(role, activeSpec(runs)),
    debugLayer: (uri, layer) => debugLayer(runs, layerDebugger, uri, layer),
    exportReport: (run) => exportReport(run, version),
    saveWeights: (run) => saveWeights(run),
    lecture: (run, action) => lectures.handle(run, action),
    playLecture: (uri) => lectures.playFile(uri),
    showVariable: (variable) => showVariable(runs, variable),
    whenDidThisStart: (argument) => whenDidThisStart(runs, argument),
    backInto: () => backInto(),
    breakOnSignChange: (cell) => breakOnSignChange(runs, cell),
    revokePermissions: () => permissions.promptAndRevoke(),
    allowCustomLayers: async (item) => {
      const uri = (item as Partial<vscode.TestItem> | undefined)?.uri;
      if (uri) await requestPermission(uri);
    },
    showLog: () => log.show(true),
  };
}

/** The spec in the editor in front, else that of the panel. */
function activeSpec(runs: RunManager): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document && isSpec(document)) return document;
  const uri = runs.active?.uri.toString();
  return vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri);
}

async function debugLayer(runs: RunManager, layerDebugger: LayerDebugger, uri: unknown, layer: unknown): Promise<void> {
  const target = uri instanceof vscode.Uri ? uri : vscode.window.activeTextEditor?.document.uri;
  const choices = (run: OpenRun) =>
    customLayerFilesOf(run.controller).map(({ name, file }) => ({
      run,
      name,
      file,
      label: escapeUiText(name),
      description: escapeUiText(run.controller.location.file),
    }));
  let candidates = runs.all.flatMap(choices).filter(({ file }) => file === target?.fsPath);
  if (candidates.length === 0) {
    const run = target && isSpec({ uri: target }) ? await openUri(runs, target) : await openActiveOrPick(runs);
    if (!run) return;
    candidates = choices(run).filter(({ name }) => layer === undefined || name === layer);
    if (candidates.length === 0) {
      const text = vscode.l10n.t('This spec has no custom layer. Run "Nablascope: New Custom Layer…" to add one.');
      run.controller.view.notify('warning', text);
    }
  }
  const selected =
    candidates.length > 1
      ? await vscode.window.showQuickPick(candidates, { placeHolder: vscode.l10n.t('Select what to debug') })
      : candidates[0];
  if (selected) await layerDebugger.debug(selected.run, selected.name);
}

async function openNewRun(runs: RunManager): Promise<OpenRun> {
  const document = await openNewSpec();
  // An unsaved spec of the same name may have been discarded; its run must not come back.
  await runs.deleteStored(document.uri);
  return runs.open(document);
}

async function openUri(runs: RunManager, uri: vscode.Uri): Promise<OpenRun> {
  return runs.open(await vscode.workspace.openTextDocument(uri));
}

/** The panel of the spec in front; without one, of a spec that the user picks. */
async function openActiveOrPick(runs: RunManager): Promise<OpenRun | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document && isSpec(document)) return runs.open(document);
  if (runs.active) {
    runs.active.panel.reveal();
    return runs.active;
  }
  const files = await findWorkspaceFiles('.nabla.json', MAX_LISTED_SPECS);
  const newModelItem = { label: `$(add) ${vscode.l10n.t('New model…')}`, uri: undefined };
  const items = files.map((uri) => ({ label: escapeUiText(vscode.workspace.asRelativePath(uri)), uri }));
  const selected = await vscode.window.showQuickPick([...items, newModelItem], {
    placeHolder: vscode.l10n.t('Select a spec to open'),
  });
  if (!selected) return undefined;
  if (!selected.uri) return newModel(runs);
  const opened = await vscode.workspace.openTextDocument(selected.uri);
  await vscode.window.showTextDocument(opened);
  return runs.open(opened);
}
