// The last suite of its window: leaves a run behind that the next window has to bring back (run.reload.test.ts).
import * as assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { inWorkspace } from '../support/extension';
import { requireOutside } from '../support/outside';
import { closeAll, command, openRun, recordOf, untilStep } from '../support/runs';

describe('before the window is left', () => {
  before(closeAll);

  it('a run stands at step 77', async function () {
    const outside = requireOutside(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 90);
    await untilStep(uri, 90);
    await command('seek', 77);
    await untilStep(uri, 77);
    await outside.panelWait('.state p', { text: 'Step 77' });
    const { position, frontier } = await recordOf(run);
    assert.equal(frontier, 90);
    const left = { position, frontier, loss: run.frame?.loss, layers: run.frame?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm)) };
    await writeFile(inWorkspace('left.json').fsPath, JSON.stringify(left));
  });
});
