// The engine process dies under a run: the panel says so, and the run can be had again, bit for bit.
import * as assert from 'node:assert/strict';
import { closeAll, command, openRun, recordOf, until, untilStep } from '../support/runs';
import type { ObservedRun } from '../../../src/host/api';

function kill(run: ObservedRun): void {
  assert.ok(run.engineProcessId, 'there is no engine process');
  process.kill(run.engineProcessId, 'SIGKILL');
}

describe('the death of the engine process', () => {
  afterEach(closeAll);

  it('is said in plain words, and the run is restored where it was', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 120);
    await untilStep(uri, 120);
    const { loss } = run.frame ?? {};
    const before = await recordOf(run);
    kill(run);
    const { state } = await until(uri, 'the end', (now) => now.state.kind === 'stopped');
    assert.deepEqual(state, {
      kind: 'stopped',
      reason: 'The engine was killed from outside. The system does that when memory runs out.',
      restorable: true,
      step: 120,
    });
    await command('restore');
    await until(uri, 'the run again', (now) => now.state.kind === 'run');
    await untilStep(uri, 120);
    assert.equal(run.frame?.loss, loss);
    assert.deepEqual(await recordOf(run), before);
    await command('step');
    await untilStep(uri, 121);
  });

  it('is not restored in a loop', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('step');
    for (let death = 1; death <= 3; death++) {
      await untilStep(uri, 1);
      kill(run);
      const { state } = await until(uri, `death ${death}`, (now) => now.state.kind === 'stopped');
      assert.equal(state.kind === 'stopped' && state.restorable, death < 3);
      if (death < 3) {
        await command('restore');
        await until(uri, 'the run again', (now) => now.state.kind === 'run');
      }
    }
    await command('restore');
    assert.equal(run.state.kind, 'stopped');
    await command('startOver');
    await until(uri, 'a new run', ({ frame, state }) => state.kind === 'run' && frame?.status === 'ready');
  });
});
