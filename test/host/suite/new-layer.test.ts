// The command that creates a layer: a working file, its types, and its entry in the spec.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, inWorkspace, openExample } from '../support/extension';
import { requestPermissionInPanel } from '../support/dialogs';
import { workbench } from '../support/workbench-driver';
import { closeAll, command, waitForRun, waitForStep } from '../support/runs';

const ROW = '.quick-input-widget .monaco-list-row';

async function textOf(name: string): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(inWorkspace(name)));
}

describe('a new layer', () => {
  before(activateExtension);
  afterEach(closeAll);

  it('is written as a working file, and inserted at the chosen place', async () => {
    const { document } = await openExample('circles.nabla.json');
    const lines = document.getText().split('\n');
    const asked = command('newLayer');
    await workbench.wait('.quick-input-widget input');
    await workbench.press('Control+a');
    await workbench.type('scaled-tanh');
    await workbench.press('Enter');
    await workbench.wait(ROW, { text: 'After tanh1' });
    await workbench.click(`${ROW}:has-text("After tanh1")`);
    await asked;
    assert.equal(vscode.window.activeTextEditor?.document.uri.path, inWorkspace('layers/scaled-tanh.layer.ts').path);
    assert.match(await textOf('layers/nablascope.d.ts'), /export interface Layer</);
    const at = lines.findIndex((line) => line.includes('"tanh"'));
    assert.deepEqual(
      document
        .getText()
        .split('\n')
        .filter((line) => !lines.includes(line)),
      ['    { "type": "custom", "module": "./layers/scaled-tanh.layer.ts" },'],
    );
    assert.ok(document.lineAt(at + 1).text.includes('scaled-tanh'));

    await command('open', document.uri);
    const { state } = await waitForRun(
      document.uri,
      'a run, or the question',
      (run) => run.state.kind === 'code' || run.frame !== null,
    );
    if (state.kind === 'code') await requestPermissionInPanel();
    await waitForRun(document.uri, 'the run', (run) => run.state.kind === 'run' && run.frame !== null);
    await command('runToStep', 3);
    const run = await waitForStep(document.uri, 3);
    await command('check');
    await eventually('a check that passed', () => run.check?.passed);
  });
});
