// A run of a sweep in VS Code: opened from the view Sweep as an unsaved spec, with a panel of its own.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, openRun, waitForRun } from '../support/runs';

describe('a sweep', () => {
  afterEach(closeAll);

  it('opens one of its runs, whose data files are found', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('digits-learning-rates.nabla.json');
    // In a narrow panel, workspaces and tabs are menus.
    await workbench.panelWait('[data-views~="sweep"]', { state: 'attached' });
    await workbench.panelEval('(document.querySelector(\'[data-views~="sweep"]\').click(), true)');
    await workbench.panelWait('#tab-sweep', { state: 'attached' });
    await workbench.panelEval("(document.querySelector('#tab-sweep').click(), true)");
    await workbench.clickInPanel('#view-sweep summary:has-text("Runs")');
    await workbench.clickInPanel('[data-open-run="1"]');
    const opened = vscode.Uri.joinPath(uri, '..', 'digits-learning-rates-run-2.nabla.json').with({
      scheme: 'untitled',
    });
    const run = await waitForRun(opened, 'a run', ({ frame }) => frame?.status === 'ready');
    assert.equal(run.model?.samples.train, 360);
    const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === opened.toString());
    assert.ok(document);
    const spec = JSON.parse(document.getText()) as { seed: number; sweep?: unknown };
    assert.equal(spec.seed, run.model.seed);
    assert.equal(spec.sweep, undefined);
  });
});
