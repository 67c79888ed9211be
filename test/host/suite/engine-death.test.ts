// The engine process of a run dies: the panel says so, and the run can be restored bit for bit.
import * as assert from 'node:assert/strict';
import { closeAll, command, openRun, recordOf, waitForRun, waitForStep } from '../support/runs';
import type { ObservedRun } from '../../../src/host/api';

function kill(run: ObservedRun): void {
  assert.ok(run.engineProcessId, 'there is no engine process');
  process.kill(run.engineProcessId, 'SIGKILL');
}

describe('the death of the engine process', () => {
  afterEach(closeAll);

  it('is reported in plain words, and the run is restored where it was', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 120);
    await waitForStep(uri, 120);
    const { loss } = run.frame ?? {};
    const before = await recordOf(run);
    kill(run);
    const { state } = await waitForRun(uri, 'the end', (now) => now.state.kind === 'stopped');
    assert.deepEqual(state, {
      kind: 'stopped',
      reason: 'The engine was killed from outside. The system does that when memory runs out.',
      restorable: true,
      step: 120,
    });
    await command('restore');
    await waitForRun(uri, 'the run again', (now) => now.state.kind === 'run');
    await waitForStep(uri, 120);
    assert.equal(run.frame?.loss, loss);
    assert.deepEqual(await recordOf(run), before);
    await command('step');
    await waitForStep(uri, 121);
  });

  it('does not cause a restart loop', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('step');
    for (let death = 1; death <= 3; death++) {
      await waitForStep(uri, 1);
      kill(run);
      const { state } = await waitForRun(uri, `death ${death}`, (now) => now.state.kind === 'stopped');
      assert.equal(state.kind === 'stopped' && state.restorable, death < 3);
      if (death < 3) {
        await command('restore');
        await waitForRun(uri, 'the run again', (now) => now.state.kind === 'run');
      }
    }
    await command('restore');
    assert.equal(run.state.kind, 'stopped');
    await command('startOver');
    await waitForRun(uri, 'a new run', ({ frame, state }) => state.kind === 'run' && frame?.status === 'ready');
  });
});
