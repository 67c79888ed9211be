// The last suite of its window leaves a run that the next window must restore (run.reload.test.ts).
import * as assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { inWorkspace } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, recordOf, waitForStep } from '../support/runs';

describe('before the window reload', () => {
  before(closeAll);

  it('the run is at step 77', async function () {
    const workbench = requireWorkbench(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 90);
    await waitForStep(uri, 90);
    await command('seek', 77);
    await waitForStep(uri, 77);
    await workbench.panelWait('.state p', { text: 'Step 77' });
    const { position, frontier } = await recordOf(run);
    assert.equal(frontier, 90);
    const left = {
      position,
      frontier,
      loss: run.frame?.loss,
      layers: run.frame?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm)),
    };
    await writeFile(inWorkspace('left.json').fsPath, JSON.stringify(left));
  });
});
