// What the extension shows in a window whose display language is German.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activateExtension, eventually, openExample } from '../support/extension';
import { closeAll, command } from '../support/runs';
import { requireWorkbench } from '../support/workbench-driver';

describe('the display language', () => {
  after(closeAll);

  it('is German in commands, views, code lenses and questions', async function () {
    const workbench = requireWorkbench(this);
    const { packageJSON } = await activateExtension();
    const { contributes } = packageJSON as {
      readonly contributes: { readonly commands: readonly { readonly command: string; readonly title: unknown }[] };
    };
    const title = contributes.commands.find((each) => each.command === 'nablascope.check')?.title;
    // VS Code keeps the English title of a command, for its palette.
    assert.deepEqual(title, { value: 'Gradienten prüfen', original: 'Check Gradients' });
    const { document } = await openExample('circles.nabla.json');
    const titles = await eventually('code lenses', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        10,
      );
      return lenses.length > 0 ? lenses.map((lens) => lens.command?.title) : undefined;
    });
    assert.ok(titles.includes('Schritt'), titles.join());
    await vscode.commands.executeCommand('workbench.view.extension.nablascope');
    await workbench.wait('.pane-header', { text: 'Beispiele' });
    const asked = command('newModel');
    await workbench.wait('.quick-input-widget .monaco-list-row', { text: 'Ein Kinderreim' });
    await workbench.screenshot('german');
    await workbench.press('Escape');
    await asked;
  });
});
