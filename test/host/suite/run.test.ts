// A run inside VS Code, by commands: forward, back, anywhere, and its gradient check.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { openExample } from '../support/extension';
import { openNewSpecAndForget } from '../support/new-spec';
import { requireOutside } from '../support/outside';
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

  it('goes on under its file when a new spec is saved', async () => {
    const uri = await openNewSpecAndForget();
    await until(uri, 'a run', ({ frame }) => frame?.status === 'ready');
    await command('runToStep', 7);
    const { model } = await untilStep(uri, 7);
    const [document] = vscode.workspace.textDocuments.filter((open) => open.uri.toString() === uri.toString());
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('workbench.action.files.save');
    const saved = await untilStep(uri.with({ scheme: 'file' }), 7);
    assert.equal(saved.model, model);
    await command('step');
    await untilStep(uri.with({ scheme: 'file' }), 8);
    await vscode.workspace.fs.delete(uri.with({ scheme: 'file' }));
  });
});

describe('commands of the palette', () => {
  afterEach(closeAll);

  it('ask for the step to run to, and take only one that lies ahead', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    await outside.panelWait('[data-layer]');
    await outside.command('Nablascope: Run to Step…');
    await outside.wait('.quick-input-widget', { text: 'Run to which step?' });
    // When the palette closes, the page that had the focus before may get it back late.
    await outside.click('.quick-input-widget input');
    await outside.press('ControlOrMeta+a');
    await outside.type('0');
    await outside.wait('.quick-input-widget', { text: 'A whole number from 1 to 800.' });
    await outside.press('ControlOrMeta+a');
    await outside.type('25');
    await outside.press('Enter');
    await untilStep(uri, 25);
  });

  it('open the panel of the spec in front', async function () {
    const outside = requireOutside(this);
    const { document } = await openExample('xor.nabla.json');
    await outside.command('Nablascope: Open');
    await until(document.uri, 'a run', ({ state, frame }) => state.kind === 'run' && frame !== null);
  });
});
