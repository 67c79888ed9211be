// Specs in VS Code's Test Explorer: found, run, and shown as passed, failed or in error.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { answerDialogs, revokePermissions } from '../support/dialogs';
import { workbench } from '../support/workbench-driver';
import { closeAll, command, openRun, recordOf, replace, waitForStep } from '../support/runs';

/** So confident and wrong that the guard in BCE's gradient shows. */
const guarded = `{
  "data": { "type": "inline", "inputs": [[1]], "targets": [[1]] },
  "layers": [
    { "type": "linear", "weight": [[-15]], "bias": [-15], "name": "sure" },
    "sigmoid"
  ],
  "loss": "bce", "batch_size": 1, "precision": "float64"
}`;

const row = (label: string): string => `.test-explorer [role="treeitem"][aria-label^="${label}"]`;
const write = (name: string, text: string): Thenable<void> =>
  vscode.workspace.fs.writeFile(inWorkspace(name), new TextEncoder().encode(text));
/** Waits until the row of a spec shows this state, which VS Code represents by an icon. */
const shows = (label: string, state: 'passed' | 'failed' | 'error' | 'skipped'): Promise<unknown> =>
  workbench.wait(`${row(label)} .codicon-testing-${state}-icon`, { state: 'attached' });

describe('the Test Explorer', () => {
  before(activateExtension);
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await vscode.commands.executeCommand('testing.clearTestResults');
  });
  afterEach(async () => {
    for (const name of ['a-guarded.nabla.json', 'a-broken.nabla.json']) {
      await vscode.workspace.fs.delete(inWorkspace(name)).then(undefined, () => undefined);
      // The file system reports it later; the next test writes a file with this name.
      await workbench.wait(row(name), { state: 'detached' });
    }
    await closeAll();
  });

  it('finds the specs of the workspace, and new ones', async () => {
    await workbench.wait(row('adam.nabla.json'), { state: 'attached' });
    await write('a-guarded.nabla.json', guarded);
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await vscode.workspace.fs.delete(inWorkspace('a-guarded.nabla.json'));
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'detached' });
  });

  it('runs the spec in the editor: right gradients pass, wrong ones fail, a spec with problems is an error', async () => {
    await openExample('circles.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles.nabla.json', 'passed');
    await write('a-guarded.nabla.json', guarded);
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-guarded.nabla.json', 'failed');
    await write('a-broken.nabla.json', '{ "data": "circles", "layers": ["lineer"], "loss": "mse" }');
    await workbench.wait(row('a-broken.nabla.json'), { state: 'attached' });
    await openExample('a-broken.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-broken.nabla.json', 'error');
  });

  it('shows a failure at the line of its layer, with the reason', async () => {
    await write('a-guarded.nabla.json', guarded);
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-guarded.nabla.json', 'failed');
    // VS Code shows the actual and the expected value after the line: backprop's, and the numeric one.
    await workbench.wait('.monaco-editor >> text=-0.09357623006228764 != -1');
  });

  it('follows the lines of an open spec, and a renamed file', async () => {
    await write('a-guarded.nabla.json', guarded);
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    const edit = new vscode.WorkspaceEdit();
    edit.renameFile(inWorkspace('a-guarded.nabla.json'), inWorkspace('a-broken.nabla.json'));
    assert.ok(await vscode.workspace.applyEdit(edit));
    await workbench.wait(row('a-broken.nabla.json'), { state: 'attached' });
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'detached' });
  });

  it('checks again on save if that is turned on', async () => {
    await write('a-guarded.nabla.json', guarded);
    await workbench.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    const editor = await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.startContinuousRun');
    await replace(editor, '"weight": [[-15]]', '"weight": [[1]]');
    await editor.document.save();
    await shows('a-guarded.nabla.json', 'passed');
    await replace(editor, '"weight": [[1]]', '"weight": [[-15]]');
    await editor.document.save();
    await shows('a-guarded.nabla.json', 'failed');
    await vscode.commands.executeCommand('testing.stopContinuousRun');
  });

  it('does not affect the run of an open panel', async () => {
    const { uri, run } = await openRun('circles-mse.nabla.json');
    await command('runToStep', 5);
    await waitForStep(uri, 5);
    const before = { record: await recordOf(run), engine: run.engineProcessId };
    await openExample('circles-mse.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles-mse.nabla.json', 'passed');
    assert.deepEqual({ record: await recordOf(run), engine: run.engineProcessId }, before);
    assert.equal(run.check, null);
  });

  it('asks before it runs custom layers, and skips the spec without permission', async () => {
    await revokePermissions();
    const label = 'custom-layer.nabla.json';
    await openExample(label);
    const dismissed = await answerDialogs(undefined, () => vscode.commands.executeCommand('testing.runCurrentFile'));
    assert.deepEqual(
      dismissed.map(({ modal }) => modal),
      [true],
    );
    await shows(label, 'skipped');
    const uri = inWorkspace(label);
    const allowed = await answerDialogs('Allow', () =>
      vscode.commands.executeCommand('nablascope.allowCustomLayers', { uri }),
    );
    assert.equal(allowed.length, 1);
    assert.equal(
      (await answerDialogs('Allow', () => vscode.commands.executeCommand('testing.runCurrentFile'))).length,
      0,
    );
    await shows(label, 'passed');
  });

  it('opens no panel', async () => {
    await openExample('circles-mse.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles-mse.nabla.json', 'passed');
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    assert.equal(
      tabs.some(({ input }) => input instanceof vscode.TabInputWebview),
      false,
    );
    await eventually('one editor', () => tabs.length === 1);
  });
});
