// In a folder that is not trusted, the built-in layers train all the same.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { command, openRun, untilStep } from '../support/runs';

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
});
