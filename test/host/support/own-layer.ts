// The example with a layer of the user's own, as tests use it: its run, and its layer's file with other texts.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, inWorkspace, openExample } from './extension';
import { outside } from './outside';
import { command, until } from './runs';

export const SPEC = 'custom-layer.nabla.json';
export const LAYER = 'layers/swish.layer.ts';

/** As the example has it. */
export async function writtenLayer(): Promise<string> {
  await activateExtension();
  return (await vscode.workspace.openTextDocument(inWorkspace(LAYER))).getText();
}

/** Saves the layer's file with this text. */
export async function saveLayer(text: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(inWorkspace(LAYER));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
  assert.ok(await document.save());
}

/** A new run of it at step 0, allowed where that was still asked. */
export async function openOwnRun(): Promise<vscode.Uri> {
  const { uri } = (await openExample(SPEC)).document;
  await command('open', uri);
  const { state } = await until(uri, 'a run, or the question', (run) => run.state.kind === 'code' || run.frame !== null);
  if (state.kind === 'code') await outside.clickInPanel('.page [data-action="allowCode"]');
  await until(uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
  await command('startOver');
  await until(uri, 'a new run', ({ frame }) => frame?.status === 'ready');
  return uri;
}

/** What is in Problems of a file. */
export const problemsIn = (name: string): vscode.Diagnostic[] =>
  vscode.languages.getDiagnostics(inWorkspace(name)).filter(({ source }) => source === 'Nablascope');
