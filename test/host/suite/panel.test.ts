// The panel as a person meets it: in the window, by mouse and keys, through hiding and moving.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import { requireOutside } from '../support/outside';
import { closeAll, command, openRun, replace, until, untilStep } from '../support/runs';

/** Where the panel says that the run stands. */
const stepField = 'role=textbox[name="Step"]';
const state = '.state p';

describe('the panel', () => {
  afterEach(closeAll);

  it('shows what the engine computed', async function () {
    const outside = requireOutside(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await outside.clickInPanel('role=button[name="Step"]');
    await untilStep(uri, 1);
    await outside.panelWait(state, { text: 'Step 1 is done.' });
    const loss = run.frame?.loss;
    assert.ok(loss);
    await outside.panelWait('tr[data-part="batch"] [data-loss]', { text: loss.toPrecision(4) });
    assert.equal(await outside.panelCount('[data-layer]'), run.model?.layers.length);
    assert.deepEqual(await outside.problemsSeen(), []);
  });

  it('obeys the keys of the debugger, each once', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    // A key that comes before the page knows of a run does nothing.
    await outside.panelWait('[data-action="step"][aria-disabled="false"]');
    await outside.pressInPanel('F10');
    await untilStep(uri, 1);
    await outside.pressInPanel('F10');
    await untilStep(uri, 2);
    await outside.pressInPanel('Shift+F10');
    await untilStep(uri, 1);
    await outside.pressInPanel('F11');
    await until(uri, 'one phase', ({ frame }) => frame?.position.step === 1 && frame.position.phase === 1);
    await outside.pressInPanel('Shift+F11');
    await untilStep(uri, 1);
    await outside.pressInPanel('F5');
    await until(uri, 'training', ({ frame }) => frame?.status === 'running' && frame.position.step > 1);
    await outside.panelWait('role=button[name="Pause"]');
    await outside.pressInPanel('F5');
    await until(uri, 'rest', ({ frame }) => frame?.status === 'paused');
  });

  it('is the one that keys are about while it is in front, wherever the focus is around it', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    await outside.panelWait('[data-layer]');
    await command('open', uri);
    await vscode.commands.executeCommand('workbench.action.focusStatusBar');
    await outside.press('F10');
    await untilStep(uri, 1);
    await outside.press('F11');
    await until(uri, 'one phase', ({ frame }) => frame?.position.step === 1 && frame.position.phase === 1);
  });

  it('is up to date when it is shown again', async function () {
    const outside = requireOutside(this);
    const { uri, editor } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await untilStep(uri, 3);
    await outside.panelWait(state, { text: 'Step 3 is done.' });
    const panel = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(({ input }) => input instanceof vscode.TabInputWebview));
    assert.ok(panel, 'no tab holds the panel');
    const other = await vscode.workspace.openTextDocument({ content: 'in front of it' });
    await vscode.window.showTextDocument(other, panel.viewColumn);
    await vscode.window.showTextDocument(editor.document, editor.viewColumn);
    await command('runToStep', 8);
    await untilStep(uri, 8);
    await command('open', uri);
    await outside.panelWait(state, { text: 'Step 8 is done.' });
    await command('step');
    await outside.panelWait(state, { text: 'Step 9 is done.' });
  });

  it('moves to another group with its run', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await untilStep(uri, 3);
    await command('open', uri);
    await vscode.commands.executeCommand('workbench.action.moveEditorToFirstGroup');
    await outside.panelWait(state, { text: 'Step 3 is done.' });
    await outside.clickInPanel('role=button[name="Step"]');
    await untilStep(uri, 4);
    await outside.panelWait(state, { text: 'Step 4 is done.' });
  });

  it('selects the layer that the cursor stands on', async function () {
    const outside = requireOutside(this);
    const { editor, run } = await openRun('circles.nabla.json');
    assert.ok(run.model);
    const { document } = editor;
    await vscode.window.showTextDocument(document, editor.viewColumn);
    const at = document.positionAt(document.getText().indexOf('"tanh"') + 2);
    editor.selection = new vscode.Selection(at, at);
    await outside.panelWait('[data-layer="1"][aria-selected="true"]');
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await outside.panelWait('[data-layer][aria-selected="true"]', { state: 'detached' });
  });

  it('marks the line of a selected layer and leaves the focus where it is', async function () {
    const outside = requireOutside(this);
    const { editor } = await openRun('circles.nabla.json');
    const before = editor.selection;
    await outside.clickInPanel('[data-layer="2"] .what');
    await outside.panelWait('[data-layer="2"][aria-selected="true"]');
    // Whole-line decorations lie below the text, one a line.
    await outside.wait('.monaco-editor .view-overlays [class*="ced-"]', { state: 'attached' });
    assert.ok(editor.selection.isEqual(before));
    assert.equal(vscode.window.activeTextEditor, undefined, 'the panel lost the focus');
  });

  it('says that an edit began a new run, and lists problems that lead to their place', async function () {
    const outside = requireOutside(this);
    const { editor, run } = await openRun('circles.nabla.json');
    await replace(editor, '"seed": 1', '"seed": 2');
    await outside.panelWait('.notice', { text: 'The spec changed: a new run began.' });
    assert.equal(run.model?.seed, 2);
    await replace(editor, '"tanh"', '"tang"');
    await outside.clickInPanel('[data-action="problems"]');
    await outside.clickInPanel('#problems .link');
    await eventually('the cursor at the problem', () => {
      const { activeTextEditor: active } = vscode.window;
      return active?.document === editor.document && active.document.getText().slice(active.document.offsetAt(active.selection.active)).startsWith('"tang"');
    });
  });

  it('offers to restore the run when the engine died, and does', async function () {
    const outside = requireOutside(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 12);
    await untilStep(uri, 12);
    assert.ok(run.engineProcessId);
    process.kill(run.engineProcessId, 'SIGKILL');
    await outside.panelWait(state, { text: 'The engine was killed from outside.' });
    await outside.clickInPanel('[data-action="restore"]');
    await untilStep(uri, 12);
    await outside.panelWait(state, { text: 'Step 12 is done.' });
    await outside.clickInPanel('role=button[name="Step"]');
    await outside.panelWait(state, { text: 'Step 13 is done.' });
  });

  it('says where the first NaN arose', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('setLearningRate', 1e200);
    await command('run');
    const { frame } = await until(uri, 'divergence', (now) => now.frame?.status === 'diverged');
    assert.ok(frame?.nonFinite);
    await outside.panelWait(state, { text: frame.nonFinite.where });
    assert.deepEqual(await outside.problemsSeen(), []);
  });

  it('shows a gradient check', async function () {
    const outside = requireOutside(this);
    const { run } = await openRun('circles.nabla.json');
    await command('step');
    await outside.clickInPanel('[data-action="check"]');
    await eventually('the report', () => run.check);
    for (const { name } of run.check?.parameters ?? []) await outside.panelWait('tr', { text: name });
  });

  it('takes the number of a step, and goes there', async function () {
    const outside = requireOutside(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 30);
    await untilStep(uri, 30);
    await outside.fillInPanel(stepField, '11');
    await outside.pressInPanel('Enter', stepField);
    await untilStep(uri, 11);
    await outside.panelWait(state, { text: 'Step 11' });
  });
});
