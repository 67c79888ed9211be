// Runs in tests: opened by command, observed through the extension's API.
import type { RunRecord } from '../../../src/protocol/run-record';
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { NablascopeApi, ObservedRun } from '../../../src/host/api';
import { activateExtension, closeAllEditors, eventually, openExample } from './extension';

export async function getApi(): Promise<NablascopeApi> {
  const { exports } = await activateExtension();
  return exports as NablascopeApi;
}

/** Resolves when `question` returns true for the run; evaluated whenever the run changes. */
export async function waitForRun(
  uri: vscode.Uri,
  what: string,
  question: (run: ObservedRun) => boolean,
): Promise<ObservedRun> {
  const api = await getApi();
  let ask: () => void = () => {};
  const listener = api.onDidChange(() => ask());
  try {
    return await new Promise<ObservedRun>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Waited in vain for: ${what}. Last seen: ${describe(api.run(uri))}`)),
        120_000,
      );
      ask = () => {
        const run = api.run(uri);
        if (!run || !question(run)) return;
        clearTimeout(timer);
        resolve(run);
      };
      ask();
    });
  } finally {
    listener.dispose();
  }
}

const describe = (run: ObservedRun | undefined): string =>
  run ? JSON.stringify({ state: run.state, status: run.frame?.status, position: run.frame?.position }) : 'no run';

/** Idle, with all steps up to this one done. */
export const waitForStep = (uri: vscode.Uri, step: number): Promise<ObservedRun> =>
  waitForRun(
    uri,
    `rest at step ${step}`,
    ({ frame }) => frame?.target === null && frame.position.step === step && frame.position.phase === 0,
  );

/** An example in the editor with a new run at step 0; `epochs` overrides the length of the run. */
export async function openRun(
  name: string,
  { epochs }: { epochs?: number } = {},
): Promise<{ editor: vscode.TextEditor; uri: vscode.Uri; run: ObservedRun }> {
  const editor = await openExample(name);
  const { uri } = editor.document;
  if (epochs !== undefined) {
    const [written] = /"epochs": \d+/.exec(editor.document.getText()) ?? [];
    assert.ok(written, `${name} does not say how many epochs`);
    await replace(editor, written, `"epochs": ${epochs}`);
  }
  await vscode.commands.executeCommand('nablascope.open', uri);
  await waitForRun(uri, 'a run', ({ state, frame }) => state.kind === 'run' && frame !== null);
  await vscode.commands.executeCommand('nablascope.startOver');
  const run = await waitForRun(uri, 'a new run', ({ frame }) => frame?.status === 'ready');
  return { editor, uri, run };
}

export const command = async (name: string, ...args: unknown[]): Promise<void> => {
  await vscode.commands.executeCommand(`nablascope.${name}`, ...args);
};

export async function recordOf(run: ObservedRun): Promise<RunRecord> {
  const record = await run.record();
  assert.ok(record, 'there is no record');
  return record;
}

/** Replaces the first `from` of the document. */
export async function replace(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const { document } = editor;
  const at = document.getText().indexOf(from);
  assert.ok(at >= 0, `${from} is not in ${document.fileName}`);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + from.length)), to);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

/** Closes everything without saving. */
export async function closeAll(): Promise<void> {
  for (const document of vscode.workspace.textDocuments) {
    if (!document.isDirty) continue;
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  }
  await closeAllEditors();
  await eventually('no editor is left', () => vscode.window.tabGroups.all.every(({ tabs }) => tabs.length === 0));
}
