// "When did this start?" from a point of a curve: what the panel tells VS Code's menu, and the answer in the panel.
import * as assert from 'node:assert/strict';
import { closeAll, command, openRun, waitForStep } from '../support/runs';
import { requireWorkbench } from '../support/workbench-driver';

describe('when did this start?', () => {
  after(() => closeAll());

  it('is asked at the point under the pointer, and answered with a step', async function () {
    const workbench = requireWorkbench(this);
    await workbench.resize(1440, 900);
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 60);
    await waitForStep(uri, 60);
    await workbench.hoverInPanel('figure canvas');
    const menu = 'canvas[data-vscode-context*=\'"webviewSection":"point","expression":"loss"\']';
    await workbench.panelWait(menu);
    await command('whenDidThisStart', { since: { query: 'last loss > 0.7 or loss < 0.1', to: 60 } });
    await workbench.panelWait('tbody [data-step]');
    await workbench.screenshot('when-did-this-start');
    const step = Number(await workbench.panelText('tbody [data-step]'));
    assert.ok(step >= 1 && step < 60, `it began after step ${step}`);
  });
});
