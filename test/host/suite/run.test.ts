// A run inside VS Code, by commands: forward, back, anywhere, and its gradient check.
import * as assert from 'node:assert/strict';
import { openNewSpecAndForget } from '../support/new-spec';
import { closeAll, command, openRun, recordOf, until, untilStep } from '../support/runs';

describe('a run', () => {
  afterEach(closeAll);

  it('steps, and a phase at a time', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    assert.ok(run.model);
    await command('step');
    const { frame } = await untilStep(uri, 1);
    assert.equal(typeof frame?.loss, 'number');
    await command('stepPhase');
    await until(uri, 'the first phase', (now) => now.frame?.position.step === 1 && now.frame.position.phase === 1);
    await command('backPhase');
    await untilStep(uri, 1);
    await command('backStep');
    const start = await untilStep(uri, 0);
    assert.equal(start.frame?.loss, null);
  });

  it('comes back to the same bits', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 50);
    await untilStep(uri, 50);
    const there = { loss: run.frame?.loss, record: await recordOf(run) };
    for (const step of [49, 3, 20]) {
      await command('seek', step);
      await untilStep(uri, step);
    }
    assert.notEqual(run.frame?.loss, there.loss);
    await command('seek', 50);
    await untilStep(uri, 50);
    assert.equal(run.frame?.loss, there.loss);
    assert.deepEqual((await recordOf(run)).checkpoint, there.record.checkpoint);
  });

  it('runs until it is told to pause', async () => {
    const { uri } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    await command('run');
    await until(uri, 'some steps', ({ frame }) => frame?.status === 'running' && frame.position.step > 10);
    await command('pause');
    const paused = await until(uri, 'rest', ({ frame }) => frame?.status === 'paused');
    assert.equal(paused.frame?.target, null);
  });

  it('checks its gradients, and they are right', async () => {
    const { run } = await openRun('circles.nabla.json');
    await command('step');
    await command('check');
    assert.ok(run.check);
    assert.equal(run.check.complete, true);
    assert.equal(run.check.passed, true);
    assert.equal(run.check.entries, run.model?.parameterCount);
  });

  it('takes another learning rate', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('step');
    await command('setLearningRate', 0.025);
    await until(uri, 'the new learning rate', ({ frame }) => frame?.lr === 0.025);
  });

  it('begins from a new spec that was never saved', async () => {
    const uri = await openNewSpecAndForget();
    await until(uri, 'a run', ({ state, frame }) => state.kind === 'run' && frame?.status === 'ready');
    await command('step');
    await untilStep(uri, 1);
  });
});
