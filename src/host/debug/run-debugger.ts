// The debugger in VS Code: the adapter runs in the extension host and drives the run of a panel, so that both show the
// same step and either can move it.
import * as vscode from 'vscode';
import {
  type DebuggedRun,
  type DebuggedRunEvents,
  type LaunchConfiguration,
  NablascopeDebugSession,
} from '../../debugger';
import { DEBUG_TYPE } from './debug-type';
import { registerInlineValues } from './inline-values';
import { isSpec } from '../model-spec/spec-documents';
import { UNAVAILABLE_REASON } from '../run/run-messages';
import type { LayerDebugger } from '../custom-layers/layer-debugger';
import type { RunController } from '../run/run-controller';
import type { RunManager } from '../run/run-manager';

/** Registers the adapter, and the configuration of F5 in a spec. */
export function registerDebugger(runs: RunManager, layerDebugger: LayerDebugger): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: () =>
        new vscode.DebugAdapterInlineImplementation(
          new NablascopeDebugSession((configuration, events) =>
            attachToPanel(runs, layerDebugger, configuration, events),
          ),
        ),
    }),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, { resolveDebugConfiguration }),
    vscode.debug.registerDebugConfigurationProvider(
      DEBUG_TYPE,
      { provideDebugConfigurations },
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
    registerInlineValues(),
  );
}

const MAX_LISTED_SPECS = 100;

/** One for each spec of the folder, in the list of configurations. */
async function provideDebugConfigurations(
  folder: vscode.WorkspaceFolder | undefined,
): Promise<vscode.DebugConfiguration[]> {
  const pattern = folder ? new vscode.RelativePattern(folder, '**/*.nabla.json') : '**/*.nabla.json';
  const files = await vscode.workspace.findFiles(pattern, '**/node_modules/**', MAX_LISTED_SPECS);
  return files
    .map((uri) => vscode.workspace.asRelativePath(uri, false))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => ({
      type: DEBUG_TYPE,
      request: 'launch',
      name: vscode.l10n.t('Debug {0}', file),
      program: `\${workspaceFolder}/${file}`,
    }));
}

/** Without launch.json, F5 debugs the spec in the editor. */
async function resolveDebugConfiguration(
  _folder: vscode.WorkspaceFolder | undefined,
  configuration: vscode.DebugConfiguration,
): Promise<vscode.DebugConfiguration | undefined> {
  if (typeof configuration.program === 'string') return configuration;
  const document = vscode.window.activeTextEditor?.document;
  if (document && isSpec(document) && document.uri.scheme === 'file')
    return {
      ...configuration,
      type: DEBUG_TYPE,
      request: 'launch',
      name: configuration.name || vscode.l10n.t('Debug spec'),
      program: document.uri.fsPath,
    };
  // Another JSON file is for another debugger.
  if (document && ['json', 'jsonc'].includes(document.languageId) && !isSpec(document)) return undefined;
  await vscode.window.showInformationMessage(vscode.l10n.t('Open a saved *.nabla.json file to debug its run.'));
  return undefined;
}

async function attachToPanel(
  runs: RunManager,
  layerDebugger: LayerDebugger,
  { program }: LaunchConfiguration,
  events: DebuggedRunEvents,
): Promise<DebuggedRun> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(program));
  if (!isSpec(document)) throw new Error(vscode.l10n.t('{0} is not a *.nabla.json file.', program));
  const run = await runs.open(document);
  const { controller } = run;
  const { model, state } = controller.view;
  if (state.kind !== 'run') throw new Error(UNAVAILABLE_REASON[state.kind]);
  if (!model) throw new Error(UNAVAILABLE_REASON.loading);
  if (controller.debugClient) throw new Error(vscode.l10n.t('This run is being debugged already.'));
  controller.debugClient = events;
  if (controller.isRunning) await controller.command({ type: 'pause' });
  const { frame } = controller.view;
  if (frame)
    events.onState({
      status: frame.status,
      position: frame.position,
      hitBreakpoints: [],
      discovery: null,
      nonFinite: frame.nonFinite,
    });
  return {
    file: document.uri.fsPath,
    text: document.getText(),
    model,
    calls: callsOf(controller),
    undo: () => controller.undo(),
    debugCode: (layer, phase, signal) => layerDebugger.stepInto(run, layer, phase, signal),
    dispose: () => {
      controller.debugClient = null;
      return Promise.resolve();
    },
  };
}

const callsOf = (controller: RunController): DebuggedRun['calls'] => ({
  // Through the controller, so that changes can be undone.
  command: (command) => controller.command(command),
  query: async (query) => {
    const result = await controller.query(query);
    if (typeof result === 'string') throw new Error(result);
    return result;
  },
  setBreakpoints: (breakpoints) => controller.setBreakpoints(breakpoints),
});
