// Run with the packed .vsix installed and nothing of the source tree loaded.
import * as assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { activateExtension, extensionId, inWorkspace, openExample } from '../support/extension';
import { workbench } from '../support/workbench-driver';

const shipped = [
  'dist/THIRD-PARTY-NOTICES.txt',
  'dist/cli.js',
  'dist/cli.mjs',
  'dist/engine-process.js',
  'dist/engine-process.mjs',
  'dist/engine-thread.js',
  'dist/engine-worker.js',
  'dist/engine-worker.mjs',
  'dist/extension.js',
  'dist/sweep-process.js',
  'dist/sweep-worker.js',
  'dist/webview.css',
  'dist/webview.js',
  'media/nabla.schema.json',
  'docs/spec.md',
  'docs/systems.md',
  'examples/circles.nabla.json',
  'package.json',
  'package.nls.json',
  'package.nls.de.json',
  'l10n/bundle.l10n.de.json',
];

function installedFolder(): string {
  const extension = vscode.extensions.getExtension(extensionId);
  assert.ok(extension);
  return extension.extensionPath;
}

function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}

describe('the installed package', () => {
  it('was installed from the .vsix, and activates', async () => {
    const extension = await activateExtension();
    assert.equal(extension.isActive, true);
    const parent = path.basename(path.dirname(extension.extensionPath));
    assert.equal(parent, 'extensions', `loaded from ${extension.extensionPath}`);
    assert.match(path.basename(extension.extensionPath), /^nablascope\.nablascope-\d+\.\d+\.\d+/);
  });

  it('contains every file that it needs, and no sources, tests or source maps', () => {
    const files = filesBelow(installedFolder());
    assert.deepEqual(
      shipped.filter((file) => !files.includes(file)),
      [],
    );
    const allowed =
      /^(dist\/[\w-]+\.(m?js|css|ttf|txt)|media\/.+|docs\/(panel\.png|(spec|systems|recipes|custom-layers)\.md)|examples\/.+|package\.json|package\.nls(\.de)?\.json|l10n\/bundle\.l10n\.de\.json|[\w.-]*\.(md|txt|vsixmanifest))$/;
    assert.deepEqual(
      files.filter((file) => !allowed.test(file)),
      [],
    );
  });

  it('opens the panel of an example without an error in its console', async () => {
    await openExample('circles.nabla.json');
    await vscode.commands.executeCommand('nablascope.open');
    await workbench.panelWait('role=button[name=/step/i]');
    await workbench.screenshot('installed');
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it('contains the terminal command', async () => {
    const cli = path.join(installedFolder(), 'dist', 'cli.js');
    const spec = inWorkspace('circles.nabla.json').fsPath;
    const { stdout } = await promisify(execFile)(process.execPath, [cli, 'check', spec, '--json']);
    assert.equal(typeof JSON.parse(stdout), 'object');
  });
});
