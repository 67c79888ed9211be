// In a folder that is not trusted, the built-in layers train all the same, and code of the user's own does not run.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, openExample } from '../support/extension';
import { outside } from '../support/outside';
import { command, openRun, until, untilStep } from '../support/runs';

describe('an untrusted folder', () => {
  it('is one', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });

  it('opens, trains and checks a spec', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 5);
    await untilStep(uri, 5);
    await command('check');
    assert.equal(run.check?.passed, true);
  });

  it('runs no layer of the user, and offers to manage trust instead of asking for a yes', async () => {
    await activateExtension();
    const { uri } = (await openExample('custom-layer.nabla.json')).document;
    await command('open', uri);
    const { state, engineProcessId } = await until(uri, 'the reason', (run) => run.state.kind === 'code');
    assert.ok(state.kind === 'code');
    assert.equal(state.trusted, false);
    assert.equal(engineProcessId, undefined, 'nothing was started that could run it');
    await outside.panelWait('.page [data-action="manageTrust"]');
    assert.equal(await outside.panelCount('[data-action="allowCode"]'), 0);
    assert.deepEqual(await outside.accessibilityOfPanel(), []);
  });
});
