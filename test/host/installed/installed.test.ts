// Run with the packed .vsix installed and nothing of the source tree loaded.
import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { activateExtension, openExample } from '../support/extension';
import { outside } from '../support/outside';

describe('the installed package', () => {
  it('was installed from the .vsix, and activates', async () => {
    const extension = await activateExtension();
    assert.equal(extension.isActive, true);
    const parent = path.basename(path.dirname(extension.extensionPath));
    assert.equal(parent, 'extensions', `loaded from ${extension.extensionPath}`);
    assert.match(path.basename(extension.extensionPath), /^nablascope\.nablascope-\d+\.\d+\.\d+/);
  });

  it('opens the panel of an example without an error in its console', async () => {
    await openExample('circles.nabla.json');
    await vscode.commands.executeCommand('nablascope.open');
    await outside.panelWait('role=button[name=/step/i]');
    await outside.screenshot('installed');
    assert.deepEqual(await outside.problemsSeen(), []);
  });
});
