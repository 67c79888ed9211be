// The extension's part of the side bar, and examples without a folder of one's own.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, extensionId } from '../support/extension';
import { closeAll, command, getApi, openRun, waitForRun } from '../support/runs';
import { requireWorkbench } from '../support/workbench-driver';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly Step[] }[];
  };
}
interface Step {
  readonly description: string;
  readonly media: { readonly image?: Readonly<Record<string, string>>; readonly markdown?: string };
}

const copyOf = (name: string): vscode.Uri | undefined =>
  vscode.workspace.textDocuments.find(({ uri }) => /\/examples-[^/]+\//.test(uri.path) && uri.path.endsWith(`/${name}`))
    ?.uri;

describe('the side bar', () => {
  after(closeAll);

  it('opens an example as a copy, lists its run, and keeps what is edited', async function () {
    const workbench = requireWorkbench(this);
    await getApi();
    await vscode.commands.executeCommand('workbench.view.extension.nablascope');
    await workbench.wait('.pane-header', { text: 'Examples' });
    await command('openExample', 'digits.nabla.json');
    const uri = await eventually('the copy', () => copyOf('digits.nabla.json'));
    // With the images that it names.
    await waitForRun(uri, 'its run', ({ state, frame }) => state.kind === 'run' && frame !== null);
    await command('step', uri);
    await waitForRun(uri, 'a step', ({ frame }) => frame?.position.step === 1 && frame.target === null);
    await workbench.wait('.monaco-list-row', { text: 'step 1' });
    await workbench.screenshot('side-bar');

    const document = await vscode.workspace.openTextDocument(uri);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(uri, new vscode.Position(0, 0), '// mine\n');
    await vscode.workspace.applyEdit(edit);
    await document.save();
    await closeAll();
    await command('openExample', 'digits.nabla.json');
    const again = await eventually('the copy again', () => copyOf('digits.nabla.json'));
    assert.ok((await vscode.workspace.openTextDocument(again)).getText().startsWith('// mine\n'));
    await command('restoreExample', { file: 'digits.nabla.json' });
    await eventually('the original', async () => {
      const opened = await vscode.workspace.openTextDocument(again);
      return !opened.isDirty && !opened.getText().startsWith('// mine') ? true : undefined;
    });
  });

  it('restores the custom code of an example, too', async () => {
    await command('openExample', 'custom-layer-with-a-bug.nabla.json');
    const uri = await eventually('the copy', () => copyOf('custom-layer-with-a-bug.nabla.json'));
    const layer = vscode.Uri.joinPath(uri, '../layers/tanh-with-a-bug.layer.ts');
    const original = new TextDecoder().decode(await vscode.workspace.fs.readFile(layer));
    await vscode.workspace.fs.writeFile(layer, new TextEncoder().encode('export default {};'));
    await command('restoreExample', { file: 'custom-layer-with-a-bug.nabla.json' });
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(layer)), original);
    await vscode.workspace.fs.delete(layer);
    await command('restoreExample', { file: 'custom-layer-with-a-bug.nabla.json' });
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(layer)), original);
    // What is not in the list is no example.
    await command('openExample', '../package.json');
    assert.equal(copyOf('package.json'), undefined);
    await closeAll();
  });

  it('shows the last result of each spec of the workspace', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('step', uri);
    await waitForRun(uri, 'a step', ({ frame }) => frame?.position.step === 1 && frame.target === null);
    await closeAll();
    await vscode.commands.executeCommand('workbench.view.extension.nablascope');
    await vscode.commands.executeCommand('nablascope.models.focus');
    // The list holds only rows that are visible.
    await workbench.resize(1400, 2400);
    await workbench.wait('.monaco-list-row[aria-label*="circles"]', { text: 'step 1' });
    await workbench.resize(1400, 900);
  });

  it('names only commands and files that exist', async () => {
    const extension = vscode.extensions.getExtension(extensionId);
    assert.ok(extension);
    const { contributes } = extension.packageJSON as Manifest;
    const known = new Set(contributes.commands.map((each) => each.command));
    for (const { description, media } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      for (const [, id] of description.matchAll(/\(command:([\w.]+)/g)) assert.ok(known.has(id!), id);
      for (const file of [...Object.values(media.image ?? {}), ...(media.markdown ? [media.markdown] : [])])
        await vscode.workspace.fs.stat(vscode.Uri.joinPath(extension.extensionUri, file));
    }
  });
});
