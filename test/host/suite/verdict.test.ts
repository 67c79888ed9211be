// The verdict leads to its evidence: a fix changes the spec, and a wrong gradient is a problem at its line of the code.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import {
  CUSTOM_LAYER_FILE,
  CUSTOM_LAYER_SPEC,
  openCustomLayerRun,
  originalLayerText,
  problemsIn,
  saveLayer,
} from '../support/custom-layer';
import { closeAll, command, openRun, replace, waitForRun, waitForStep } from '../support/runs';
import { workbench } from '../support/workbench-driver';

const WRONG = [
  'export default {',
  '  forward: ({ x, ops }) => ops.multiply(x, x),',
  '  backward: ({ x, dy, ops }) => ({ dx: ops.multiply(dy, x) }),',
  '};',
  '',
].join('\n');

describe('the verdict', () => {
  afterEach(closeAll);

  it('offers the fix of a finding, which changes the spec as an edit that can be undone', async () => {
    const { editor, uri } = await openRun('circles.nabla.json');
    const { document } = editor;
    const written = document.getText();
    await replace(editor, '"lr": 0.1', '"lr": 300');
    await waitForRun(uri, 'a new run', ({ frame }) => frame?.status === 'ready' && frame.lr === 300);
    await command('runToStep', 3);
    const { frame } = await waitForStep(uri, 3);
    const found = frame?.findings.find(({ fix }) => fix?.changes[0].path.join('.') === 'optimizer.lr');
    assert.ok(found?.fix, 'no finding offers another rate');
    await workbench.clickInPanel('.state > .actions [data-action="applyFix"]');
    await eventually('another rate in the spec', () => !document.getText().includes('"lr": 300'));
    const value = String(found.fix.changes[0].value);
    assert.equal(document.getText(), written.replace('"lr": 0.1', `"lr": ${value}`));
    await waitForRun(uri, 'a run with it', (run) => run.frame?.status === 'ready' && run.frame.lr === Number(value));
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('undo');
    assert.ok(document.getText().includes('"lr": 300'));
  });

  it('puts a wrong gradient in Problems, goes to its line, and checks again when the code is saved', async () => {
    const written = await originalLayerText();
    try {
      const uri = await openCustomLayerRun();
      await command('step');
      await waitForStep(uri, 1);
      await saveLayer(WRONG);
      await waitForRun(uri, 'the new code', ({ model }) => model?.layers[1].parameters.length === 0);
      await command('step');
      await command('check');
      await eventually('a problem in the file', () =>
        problemsIn(CUSTOM_LAYER_FILE).some(({ code }) => code === 'wrong-gradient'),
      );
      const [problem] = problemsIn(CUSTOM_LAYER_FILE);
      assert.ok(problemsIn(CUSTOM_LAYER_SPEC).some(({ code }) => code === 'wrong-gradient'));
      await workbench.clickInPanel('.state > .actions [data-action="revealDiagnosis"]');
      await eventually('the editor of the layer', () => {
        const { document, selection } = vscode.window.activeTextEditor ?? {};
        return (
          document?.uri.path.endsWith(CUSTOM_LAYER_FILE) === true && selection?.active.line === problem.range.start.line
        );
      });
      await saveLayer(WRONG.replace('multiply(dy, x)', 'multiply(ops.multiply(dy, x), 2)'));
      await workbench.panelWait('.notices', { text: 'swish.layer.ts reloaded.' });
      await waitForRun(uri, 'a check of the new code', ({ check }) => check?.passed === true);
      await eventually('no problem', () => problemsIn(CUSTOM_LAYER_FILE).length === 0);
    } finally {
      await saveLayer(written);
    }
  });
});
