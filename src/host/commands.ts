// The commands of the palette, the keys and the title buttons. Each is about the run in front; a spec in
// front without a panel gets one first.
import * as vscode from 'vscode';
import type { SessionCommand } from '../protocol/engine';
import { askEpoch, askLearningRate, askReachedStep, askStep } from './ask';
import type { CodeConsent } from './code-consent';
import { exportReport } from './export-report';
import type { LayerDebugger } from './layer-debugger';
import { ownFiles } from './layer-files';
import type { NewLayer } from './new-layer';
import { openNewSpec } from './new-spec';
import { plain } from './plain';
import type { OpenRun, Runs } from './runs';
import { isSpec } from './spec-documents';

type Work = (run: OpenRun, argument: unknown) => Promise<void> | undefined;

const simple = (type: Extract<SessionCommand, { readonly type: SessionCommand['type'] }>['type']): Work => {
  return ({ controller }) => controller.command({ type } as SessionCommand);
};

/** Asks for what the caller did not give; nothing is done when the question is left. */
function asking<Answer>(
  ask: (run: OpenRun) => Promise<Answer | undefined>,
  isAnswer: (argument: unknown) => argument is Answer,
  command: (answer: Answer) => SessionCommand,
): Work {
  return async (run, argument) => {
    const answer = isAnswer(argument) ? argument : await ask(run);
    if (answer !== undefined) await run.controller.command(command(answer));
  };
}

const isNumber = (argument: unknown): argument is number => typeof argument === 'number';

const works: Readonly<Record<string, Work>> = {
  step: simple('step'),
  stepPhase: simple('stepPhase'),
  backPhase: simple('backPhase'),
  backStep: simple('backStep'),
  run: simple('run'),
  pause: simple('pause'),
  reset: simple('reset'),
  runToStep: asking(askStep, isNumber, (step) => ({ type: 'runToStep', step })),
  runToEpoch: asking(askEpoch, isNumber, (epoch) => ({ type: 'runToEpoch', epoch })),
  seek: asking(askReachedStep, isNumber, (step) => ({ type: 'seek', step })),
  setLearningRate: asking(askLearningRate, isNumber, (lr) => ({ type: 'setLearningRate', lr })),
  check: ({ controller }) => controller.check(),
  cancelCheck: ({ controller }) => controller.cancelCheck(),
  restore: ({ controller }) => controller.restore(),
  startOver: ({ controller }) => controller.startOver(),
};

/** What commands do beside what runs do. */
export interface CommandParts {
  readonly consent: CodeConsent;
  readonly layerDebugger: LayerDebugger;
  readonly newLayer: NewLayer;
  /** Of the extension. */
  readonly version: string;
  /** Holds what layers write to the console. */
  readonly log: vscode.LogOutputChannel;
}

export function registerCommands(runs: Runs, { consent, layerDebugger, newLayer, version, log }: CommandParts): vscode.Disposable {
  const registered = Object.entries(works).map(([name, work]) =>
    vscode.commands.registerCommand(`nablascope.${name}`, async (argument: unknown) => {
      const run = runs.active ?? (await openInFront(runs));
      if (run) await work(run, argument);
    }),
  );
  registered.push(
    vscode.commands.registerCommand('nablascope.open', async (uri: unknown) => {
      await (uri instanceof vscode.Uri ? openUri(runs, uri) : openInFront(runs));
    }),
    vscode.commands.registerCommand('nablascope.exportReport', async () => {
      const run = runs.active ?? (await openInFront(runs));
      if (run) await exportReport(run, version);
    }),
    vscode.commands.registerCommand('nablascope.forgetCodeFolders', () => consent.askAndForget()),
    vscode.commands.registerCommand('nablascope.debugLayer', (uri: unknown, layer: unknown) => debugLayer(runs, layerDebugger, uri, layer)),
    vscode.commands.registerCommand('nablascope.showLog', () => log.show(true)),
    vscode.commands.registerCommand('nablascope.newLayer', () => newLayer.open(specInFront(runs))),
    vscode.commands.registerCommand('nablascope.newSpec', async () => {
      await openNew(runs);
    }),
  );
  return vscode.Disposable.from(...registered);
}

/** The spec in the editor in front, else that of the panel. */
function specInFront(runs: Runs): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document && isSpec(document)) return document;
  const uri = runs.active?.uri.toString();
  return vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri);
}

/** @param uri of a spec, with the name of its layer; or of a layer's file; or of nothing, then that in front. */
async function debugLayer(runs: Runs, layerDebugger: LayerDebugger, uri: unknown, layer: unknown): Promise<void> {
  const at = uri instanceof vscode.Uri ? uri : vscode.window.activeTextEditor?.document.uri;
  const choices = (run: OpenRun) =>
    ownFiles(run.controller).map(({ name, file }) => ({ run, name, file, label: plain(name), description: plain(run.controller.place.file) }));
  let found = runs.all.flatMap(choices).filter(({ file }) => file === at?.fsPath);
  if (found.length === 0) {
    const run = at && isSpec({ uri: at }) ? await openUri(runs, at) : await openInFront(runs);
    if (!run) return;
    found = choices(run).filter(({ name }) => layer === undefined || name === layer);
    if (found.length === 0) run.controller.view.notice('warning', 'This spec has no layer of your own.');
  }
  const chosen = found.length > 1 ? await vscode.window.showQuickPick(found, { placeHolder: 'Debug which layer?' }) : found[0];
  if (chosen) await layerDebugger.debug(chosen.run, chosen.name);
}

async function openNew(runs: Runs): Promise<OpenRun> {
  const document = await openNewSpec();
  // One of the same name may have been thrown away unsaved.
  await runs.forget(document.uri);
  return runs.open(document);
}

async function openUri(runs: Runs, uri: vscode.Uri): Promise<OpenRun> {
  return runs.open(await vscode.workspace.openTextDocument(uri));
}

/** The panel of the spec in front; without one, of a spec that is chosen. */
async function openInFront(runs: Runs): Promise<OpenRun | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (document && isSpec(document)) return runs.open(document);
  if (runs.active) {
    runs.active.panel.reveal();
    return runs.active;
  }
  const files = await vscode.workspace.findFiles('**/*.nabla.json', '**/node_modules/**', 200);
  const make = { label: '$(add) New spec', uri: undefined };
  const items = files.map((uri) => ({ label: plain(vscode.workspace.asRelativePath(uri)), uri })).sort((a, b) => (a.label < b.label ? -1 : 1));
  const chosen = await vscode.window.showQuickPick([...items, make], { placeHolder: 'Open which spec?' });
  if (!chosen) return undefined;
  if (!chosen.uri) return openNew(runs);
  const opened = await vscode.workspace.openTextDocument(chosen.uri);
  await vscode.window.showTextDocument(opened);
  return runs.open(opened);
}
