// The example with a custom layer for tests: its run, and its file with other contents.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, inWorkspace, openExample } from './extension';
import { requestPermissionInPanel } from './dialogs';
import { command, waitForRun } from './runs';

export const CUSTOM_LAYER_SPEC = 'custom-layer.nabla.json';
export const CUSTOM_LAYER_FILE = 'layers/swish.layer.ts';

/** As in the example. */
export async function originalLayerText(): Promise<string> {
  await activateExtension();
  return (await vscode.workspace.openTextDocument(inWorkspace(CUSTOM_LAYER_FILE))).getText();
}

/** Saves the layer's file with this text. */
export async function saveLayer(text: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(inWorkspace(CUSTOM_LAYER_FILE));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
  assert.ok(await document.save());
}

/** A new run at step 0, with permission for its layer. */
export async function openCustomLayerRun(): Promise<vscode.Uri> {
  const { uri } = (await openExample(CUSTOM_LAYER_SPEC)).document;
  await command('open', uri);
  const { state } = await waitForRun(
    uri,
    'a run, or the question',
    (run) => run.state.kind === 'code' || run.frame !== null,
  );
  if (state.kind === 'code') await requestPermissionInPanel();
  await waitForRun(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
  await command('startOver');
  await waitForRun(uri, 'a new run', ({ frame }) => frame?.status === 'ready');
  return uri;
}

/** The problems of a file. */
export const problemsIn = (name: string): vscode.Diagnostic[] =>
  vscode.languages.getDiagnostics(inWorkspace(name)).filter(({ source }) => source === 'Nablascope');
