// A run inside VS Code, controlled by commands: forward, back, anywhere, and its gradient check.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { openExample } from '../support/extension';
import { openNewSpec } from '../support/new-spec';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, recordOf, waitForRun, waitForStep } from '../support/runs';

describe('a run', () => {
  afterEach(closeAll);

  it('steps, also by phase', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    assert.ok(run.model);
    await command('step');
    const { frame } = await waitForStep(uri, 1);
    assert.equal(typeof frame?.loss, 'number');
    await command('stepPhase');
    await waitForRun(uri, 'the first phase', (now) => now.frame?.position.step === 1 && now.frame.position.phase === 1);
    await command('backPhase');
    await waitForStep(uri, 1);
    await command('backStep');
    const start = await waitForStep(uri, 0);
    assert.equal(start.frame?.loss, null);
  });

  it('returns to the same bits', async () => {
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 50);
    await waitForStep(uri, 50);
    const there = { loss: run.frame?.loss, record: await recordOf(run) };
    for (const step of [49, 3, 20]) {
      await command('seek', step);
      await waitForStep(uri, step);
    }
    assert.notEqual(run.frame?.loss, there.loss);
    await command('seek', 50);
    await waitForStep(uri, 50);
    assert.equal(run.frame?.loss, there.loss);
    assert.deepEqual((await recordOf(run)).checkpoint, there.record.checkpoint);
  });

  it('runs until it is paused', async () => {
    const { uri } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    await command('run');
    await waitForRun(uri, 'some steps', ({ frame }) => frame?.status === 'running' && frame.position.step > 10);
    await command('pause');
    const paused = await waitForRun(uri, 'rest', ({ frame }) => frame?.status === 'paused');
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

  it('changes the learning rate', async () => {
    const { uri } = await openRun('circles.nabla.json');
    await command('step');
    await command('setLearningRate', 0.025);
    await waitForRun(uri, 'the new learning rate', ({ frame }) => frame?.lr === 0.025);
  });

  it('starts from a new, unsaved spec', async () => {
    const uri = await openNewSpec();
    await waitForRun(uri, 'a run', ({ state, frame }) => state.kind === 'run' && frame?.status === 'ready');
    await command('step');
    await waitForStep(uri, 1);
  });

  it('continues under its file when a new spec is saved', async () => {
    const uri = await openNewSpec();
    await waitForRun(uri, 'a run', ({ frame }) => frame?.status === 'ready');
    await command('runToStep', 7);
    const { model } = await waitForStep(uri, 7);
    const [document] = vscode.workspace.textDocuments.filter((open) => open.uri.toString() === uri.toString());
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('workbench.action.files.save');
    const saved = await waitForStep(uri.with({ scheme: 'file' }), 7);
    assert.equal(saved.model, model);
    await command('step');
    await waitForStep(uri.with({ scheme: 'file' }), 8);
    await vscode.workspace.fs.delete(uri.with({ scheme: 'file' }));
  });
});

describe('commands of the palette', () => {
  afterEach(closeAll);

  it('ask for the step to run to, and accept only one that is ahead', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await workbench.panelWait('[data-layer]');
    await workbench.command('Nablascope: Run to Step…');
    await workbench.wait('.quick-input-widget', { text: 'The run ends at step 800' });
    // When the palette closes, the page that had the focus before may regain it late.
    await workbench.click('.quick-input-widget input');
    await workbench.press('ControlOrMeta+a');
    await workbench.type('0');
    await workbench.wait('.quick-input-widget', { text: 'from 1 to 800' });
    await workbench.press('ControlOrMeta+a');
    await workbench.type('25');
    await workbench.press('Enter');
    await waitForStep(uri, 25);
  });

  it('open the panel of the active spec', async function () {
    const workbench = requireWorkbench(this);
    const { document } = await openExample('xor.nabla.json');
    await workbench.command('Nablascope: Open Panel');
    await waitForRun(document.uri, 'a run', ({ state, frame }) => state.kind === 'run' && frame !== null);
  });
});
