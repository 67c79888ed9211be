// After Reload Window: the panel is back, with its run where it stood (left by zz-leave-open.test.ts).
import * as assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { inWorkspace } from '../support/extension';
import { requireOutside } from '../support/outside';
import { command, recordOf, untilStep } from '../support/runs';

describe('after the window was loaded again', () => {
  it('the panel and its run are back, bit for bit', async function () {
    const outside = requireOutside(this);
    const uri = inWorkspace('circles.nabla.json');
    const left = JSON.parse(await readFile(inWorkspace('left.json').fsPath, 'utf8')) as Record<string, unknown>;
    const run = await untilStep(uri, 77);
    const { position, frontier } = await recordOf(run);
    const layers = run.frame?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm));
    assert.deepEqual({ position, frontier, loss: run.frame?.loss, layers }, left);
    await outside.panelWait('.notice', { text: 'The run goes on where it was left, at step 77.' });
    await outside.panelWait('.state p', { text: 'Step 77' });
    assert.deepEqual(await outside.problemsSeen(), []);
  });

  it('the run goes on from there', async () => {
    const uri = inWorkspace('circles.nabla.json');
    await command('step');
    await untilStep(uri, 78);
    await command('seek', 5);
    await untilStep(uri, 5);
  });
});
