// Specs in VS Code's own Test Explorer: found, run, and shown as passed, failed or in error.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll, command, openRun, recordOf, replace, untilStep } from '../support/runs';

/** Certain and wrong, so that the guard in BCE's gradient shows. */
const guarded = `{
  "data": { "type": "inline", "inputs": [[1]], "targets": [[1]] },
  "layers": [
    { "type": "linear", "weight": [[-15]], "bias": [-15], "name": "sure" },
    "sigmoid"
  ],
  "loss": "bce", "batch_size": 1, "precision": "float64"
}`;

const row = (label: string): string => `.test-explorer [role="treeitem"][aria-label^="${label}"]`;
const write = (name: string, text: string): Thenable<void> => vscode.workspace.fs.writeFile(inWorkspace(name), new TextEncoder().encode(text));
/** Waits until the row of a spec shows this state, which VS Code tells by the icon. */
const shows = (label: string, state: 'passed' | 'failed' | 'error'): Promise<unknown> =>
  outside.wait(`${row(label)} .codicon-testing-${state}-icon`, { state: 'attached' });

describe('the Test Explorer', () => {
  before(activateExtension);
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await vscode.commands.executeCommand('testing.clearTestResults');
  });
  afterEach(async () => {
    for (const name of ['a-guarded.nabla.json', 'a-broken.nabla.json']) {
      await vscode.workspace.fs.delete(inWorkspace(name)).then(undefined, () => undefined);
      // The file system tells of it later; the next test writes a file of this name.
      await outside.wait(row(name), { state: 'detached' });
    }
    await closeAll();
  });

  it('finds the specs of the workspace, and new ones', async () => {
    await outside.wait(row('adam.nabla.json'), { state: 'attached' });
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await vscode.workspace.fs.delete(inWorkspace('a-guarded.nabla.json'));
    await outside.wait(row('a-guarded.nabla.json'), { state: 'detached' });
  });

  it('runs the spec in the editor: what is right passes, what is wrong fails, a spec with problems is in error', async () => {
    await openExample('circles.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles.nabla.json', 'passed');
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-guarded.nabla.json', 'failed');
    await write('a-broken.nabla.json', '{ "data": "circles", "layers": ["lineer"], "loss": "mse" }');
    await outside.wait(row('a-broken.nabla.json'), { state: 'attached' });
    await openExample('a-broken.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-broken.nabla.json', 'error');
  });

  it('shows what failed at the line of its layer, with why', async () => {
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-guarded.nabla.json', 'failed');
    // VS Code writes what came and what was expected behind the line: backprop's value, and the numeric one.
    await outside.wait('.monaco-editor >> text=-0.09357623006228764 != -1');
  });

  it('follows the lines of an open spec, and a file that gets another name', async () => {
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    const edit = new vscode.WorkspaceEdit();
    edit.renameFile(inWorkspace('a-guarded.nabla.json'), inWorkspace('a-broken.nabla.json'));
    assert.ok(await vscode.workspace.applyEdit(edit));
    await outside.wait(row('a-broken.nabla.json'), { state: 'attached' });
    await outside.wait(row('a-guarded.nabla.json'), { state: 'detached' });
  });

  it('checks again on save where that is switched on', async () => {
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
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

  it('leaves the run of an open panel as it is', async () => {
    const { uri, run } = await openRun('circles-mse.nabla.json');
    await command('runToStep', 5);
    await untilStep(uri, 5);
    const before = { record: await recordOf(run), engine: run.engineProcessId };
    await openExample('circles-mse.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles-mse.nabla.json', 'passed');
    assert.deepEqual({ record: await recordOf(run), engine: run.engineProcessId }, before);
    assert.equal(run.check, null);
  });

  it('leaves no run behind: no panel is opened', async () => {
    await openExample('circles-mse.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('circles-mse.nabla.json', 'passed');
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    assert.equal(tabs.some(({ input }) => input instanceof vscode.TabInputWebview), false);
    await eventually('one editor', () => tabs.length === 1);
  });
});
