// After Reload Window: the panel is restored with its run (left by zz-leave-open.test.ts).
import * as assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { inWorkspace } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { command, recordOf, waitForStep } from '../support/runs';

describe('after a window reload', () => {
  it('the panel and its run are restored, bit for bit', async function () {
    const workbench = requireWorkbench(this);
    const uri = inWorkspace('circles.nabla.json');
    const left = JSON.parse(await readFile(inWorkspace('left.json').fsPath, 'utf8')) as Record<string, unknown>;
    const run = await waitForStep(uri, 77);
    const { position, frontier } = await recordOf(run);
    const layers = run.frame?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm));
    assert.deepEqual({ position, frontier, loss: run.frame?.loss, layers }, left);
    await workbench.panelWait('.notice', { text: 'step 77' });
    await workbench.panelWait('.state p', { text: 'Step 77' });
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it('the run continues from there', async () => {
    const uri = inWorkspace('circles.nabla.json');
    await command('step');
    await waitForStep(uri, 78);
    await command('seek', 5);
    await waitForStep(uri, 5);
  });
});
