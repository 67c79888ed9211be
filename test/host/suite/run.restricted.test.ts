// In an untrusted folder, built-in layers train as usual, and custom layers do not run.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, openExample } from '../support/extension';
import { workbench } from '../support/workbench-driver';
import { command, openRun, waitForRun, waitForStep } from '../support/runs';

describe('an untrusted folder', () => {
  it('is restricted', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });

  it('opens, trains and checks a spec', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 5);
    await waitForStep(uri, 5);
    await command('check');
    assert.equal(run.check?.passed, true);
  });

  it('runs no custom layer, and offers to manage trust instead of asking for permission', async () => {
    await activateExtension();
    const { uri } = (await openExample('custom-layer.nabla.json')).document;
    await command('open', uri);
    const { state, engineProcessId } = await waitForRun(uri, 'the reason', (run) => run.state.kind === 'code');
    assert.ok(state.kind === 'code');
    assert.equal(state.trusted, false);
    assert.equal(engineProcessId, undefined, 'nothing was started that could run it');
    await workbench.panelWait('.page [data-action="manageTrust"]');
    assert.equal(await workbench.panelCount('[data-action="allowCode"]'), 0);
    assert.deepEqual(await workbench.accessibilityOfPanel(), []);
  });
});
