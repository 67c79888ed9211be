// Editing a spec while it trains.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import { closeAll, command, openRun, replace, waitForRun, waitForStep } from '../support/runs';

describe('editing a spec while it trains', () => {
  afterEach(closeAll);

  it('starts a new run when its meaning changed, and continues training', async () => {
    const { editor, uri, run } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    const before = run.model;
    await command('run');
    await waitForRun(uri, 'training', ({ frame }) => frame?.status === 'running');
    await replace(editor, '"layers": [', '"layers": [\n    { "type": "linear", "out_features": 3 },\n    "tanh",');
    const after = await waitForRun(uri, 'the new model', ({ model }) => model !== before);
    assert.equal(after.model?.layers.length, (before?.layers.length ?? 0) + 2);
    await waitForRun(
      uri,
      'training goes on',
      ({ frame }) => frame !== null && frame.position.step > 0 && frame.layers.length === after.model?.layers.length,
    );
  });

  it('keeps the run when the spec cannot run, and shows why', async () => {
    const { editor, uri, run } = await openRun('circles.nabla.json');
    const before = run.model;
    await command('runToStep', 20);
    await waitForStep(uri, 20);
    await replace(editor, '"cross_entropy"', '"cross"');
    await eventually('a problem', () =>
      vscode.languages.getDiagnostics(uri).some(({ source }) => source === 'Nablascope'),
    );
    assert.equal(run.model, before);
    await command('step');
    await waitForStep(uri, 21);
    await replace(editor, '"cross"', '"cross_entropy"');
    await eventually('no problem', () => vscode.languages.getDiagnostics(uri).length === 0);
    assert.equal(run.model, before);
    assert.equal(run.frame?.position.step, 21);
  });

  it('keeps the run when only comments and white space changed', async () => {
    const { editor, uri, run } = await openRun('circles.nabla.json');
    const before = run.model;
    await command('step');
    await waitForStep(uri, 1);
    await replace(editor, '{', '// the same\n{\n\n');
    // The edit is analyzed after a delay, before anything that is read later.
    await replace(editor, '"cross_entropy"', '"nothing"');
    await eventually('a problem', () =>
      vscode.languages.getDiagnostics(uri).some(({ source }) => source === 'Nablascope'),
    );
    assert.equal(run.model, before);
    assert.equal(run.frame?.position.step, 1);
  });

  it('continues the same run when only its length changed', async () => {
    const { editor, uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 30);
    await waitForStep(uri, 30);
    const { loss } = run.frame ?? {};
    const total = run.model?.totalSteps ?? 0;
    const epochs = run.model?.epochs ?? 0;
    await replace(editor, `"epochs": ${epochs}`, `"epochs": ${epochs * 2}`);
    await waitForRun(uri, 'the longer run', ({ model }) => model?.totalSteps === total * 2);
    const after = await waitForStep(uri, 30);
    assert.equal(after.frame?.loss, loss);
  });
});
