// Specs in VS Code's own Test Explorer: found, run, and shown as passed, failed or in error.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { outside } from '../support/outside';
import { closeAll } from '../support/runs';

/** Certain and wrong, so that the guard in BCE's gradient shows. */
const guarded = JSON.stringify({
  data: { type: 'inline', inputs: [[1]], targets: [[1]] },
  layers: [{ type: 'linear', weight: [[-15]], bias: [-15], name: 'sure' }, 'sigmoid'],
  loss: 'bce', batch_size: 1, precision: 'float64',
});

const row = (label: string): string => `.test-explorer [role="treeitem"][aria-label^="${label}"]`;
const write = (name: string, text: string): Thenable<void> => vscode.workspace.fs.writeFile(inWorkspace(name), new TextEncoder().encode(text));
/** The row of a spec, once its state is this. */
const shows = (label: string, state: string): Promise<unknown> => outside.wait(`${row(label)}[aria-label*="${state}"]`, { state: 'attached' });

describe('the Test Explorer', () => {
  before(activateExtension);
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
  });
  afterEach(async () => {
    for (const name of ['a-guarded.nabla.json', 'a-broken.nabla.json']) {
      await vscode.workspace.fs.delete(inWorkspace(name)).then(undefined, () => undefined);
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
    await shows('circles.nabla.json', 'Passed');
    await write('a-guarded.nabla.json', guarded);
    await outside.wait(row('a-guarded.nabla.json'), { state: 'attached' });
    await openExample('a-guarded.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-guarded.nabla.json', 'Failed');
    await write('a-broken.nabla.json', '{ "data": "circles", "layers": ["lineer"], "loss": "mse" }');
    await outside.wait(row('a-broken.nabla.json'), { state: 'attached' });
    await openExample('a-broken.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('a-broken.nabla.json', 'Errored');
  });

  it('leaves no run behind: no panel is opened', async () => {
    await openExample('xor.nabla.json');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    await shows('xor.nabla.json', 'Passed');
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    assert.equal(tabs.some(({ input }) => input instanceof vscode.TabInputWebview), false);
    await eventually('one editor', () => tabs.length === 1);
  });
});
