// The panel as a user sees it: in the window, by mouse and keyboard, when hidden and moved.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, replace, waitForRun, waitForStep } from '../support/runs';

/** The field that shows the current step. */
const stepField = 'role=textbox[name="Step"]';
const state = '.state p';

describe('the panel', () => {
  afterEach(closeAll);

  it('shows what the engine computed', async function () {
    const workbench = requireWorkbench(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await workbench.clickInPanel('role=button[name="Step"]');
    await waitForStep(uri, 1);
    await workbench.panelWait(state, { text: 'Step 1.' });
    const loss = run.frame?.loss;
    assert.ok(loss);
    await workbench.panelWait('tr[data-part="batch"] [data-loss]', { text: loss.toPrecision(4) });
    assert.equal(await workbench.panelCount('[data-layer]'), run.model?.layers.length);
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it('opens the answer to a question next to it', async function () {
    const workbench = requireWorkbench(this);
    await openRun('circles.nabla.json');
    await workbench.clickInPanel('[data-question="first-loss"]');
    const preview = await eventually('a preview of the answers', () =>
      vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(({ label }) => label.includes('systems.md'))),
    );
    const panel = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(({ label }) => label.startsWith('∇')));
    assert.ok(panel && preview && panel.viewColumn !== preview.viewColumn);
    await workbench.panelWait('[data-question="first-loss"]');
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it("handles the debugger's keys, each once", async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json', { epochs: 1_000_000 });
    // A key has no effect before the page knows of a run.
    await workbench.panelWait('[data-action="step"][aria-disabled="false"]');
    await workbench.pressInPanel('F10');
    await waitForStep(uri, 1);
    await workbench.pressInPanel('F10');
    await waitForStep(uri, 2);
    await workbench.pressInPanel('Shift+F10');
    await waitForStep(uri, 1);
    await workbench.pressInPanel('F11');
    await waitForRun(uri, 'one phase', ({ frame }) => frame?.position.step === 1 && frame.position.phase === 1);
    await workbench.pressInPanel('Shift+F11');
    await waitForStep(uri, 1);
    await workbench.pressInPanel('F5');
    await waitForRun(uri, 'training', ({ frame }) => frame?.status === 'running' && frame.position.step > 1);
    await workbench.panelWait('role=button[name="Pause"]');
    await workbench.pressInPanel('F5');
    await waitForRun(uri, 'rest', ({ frame }) => frame?.status === 'paused');
  });

  it('receives keys while it is active, wherever the focus is around it', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await workbench.panelWait('[data-layer]');
    await command('open', uri);
    await vscode.commands.executeCommand('workbench.action.focusStatusBar');
    await workbench.press('F10');
    await waitForStep(uri, 1);
    await workbench.press('F11');
    await waitForRun(uri, 'one phase', ({ frame }) => frame?.position.step === 1 && frame.position.phase === 1);
  });

  it('is up to date when it is shown again', async function () {
    const workbench = requireWorkbench(this);
    const { uri, editor } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await waitForStep(uri, 3);
    await workbench.panelWait(state, { text: 'Step 3.' });
    const panel = vscode.window.tabGroups.all.find(({ tabs }) =>
      tabs.some(({ input }) => input instanceof vscode.TabInputWebview),
    );
    assert.ok(panel, 'no tab holds the panel');
    const other = await vscode.workspace.openTextDocument({ content: 'in front of it' });
    await vscode.window.showTextDocument(other, panel.viewColumn);
    await vscode.window.showTextDocument(editor.document, editor.viewColumn);
    await command('runToStep', 8);
    await waitForStep(uri, 8);
    await command('open', uri);
    await workbench.panelWait(state, { text: 'Step 8.' });
    await command('step');
    await workbench.panelWait(state, { text: 'Step 9.' });
  });

  it('moves to another editor group with its run', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 3);
    await waitForStep(uri, 3);
    await command('open', uri);
    await vscode.commands.executeCommand('workbench.action.moveEditorToFirstGroup');
    await workbench.panelWait(state, { text: 'Step 3.' });
    await workbench.clickInPanel('role=button[name="Step"]');
    await waitForStep(uri, 4);
    await workbench.panelWait(state, { text: 'Step 4.' });
  });

  it('selects the layer at the cursor', async function () {
    const workbench = requireWorkbench(this);
    const { editor, run } = await openRun('circles.nabla.json');
    assert.ok(run.model);
    const { document } = editor;
    await vscode.window.showTextDocument(document, editor.viewColumn);
    const at = document.positionAt(document.getText().indexOf('"tanh"') + 2);
    editor.selection = new vscode.Selection(at, at);
    await workbench.panelWait('[data-layer="1"][aria-selected="true"]');
    editor.selection = new vscode.Selection(0, 0, 0, 0);
    await workbench.panelWait('[data-layer][aria-selected="true"]', { state: 'detached' });
  });

  it('highlights the line of a selected layer without taking the focus', async function () {
    const workbench = requireWorkbench(this);
    const { editor } = await openRun('circles.nabla.json');
    const before = editor.selection;
    await workbench.clickInPanel('[data-layer="2"] .what');
    await workbench.panelWait('[data-layer="2"][aria-selected="true"]');
    // Whole-line decorations are below the text, one per line.
    await workbench.wait('.monaco-editor .view-overlays [class*="ced-"]', { state: 'attached' });
    assert.ok(editor.selection.isEqual(before));
    assert.equal(vscode.window.activeTextEditor, undefined, 'the panel lost the focus');
  });

  it('says that an edit started a new run, and lists problems with links', async function () {
    const workbench = requireWorkbench(this);
    const { editor, run } = await openRun('circles.nabla.json');
    await replace(editor, '"seed": 1', '"seed": 2');
    await workbench.panelWait('.notice', { text: 'The spec changed.' });
    assert.equal(run.model?.seed, 2);
    await replace(editor, '"tanh"', '"tang"');
    await workbench.clickInPanel('[data-action="problems"]');
    await workbench.clickInPanel('#problems .link');
    await eventually('the cursor at the problem', () => {
      const { activeTextEditor: active } = vscode.window;
      return (
        active?.document === editor.document &&
        active.document.getText().slice(active.document.offsetAt(active.selection.active)).startsWith('"tang"')
      );
    });
  });

  it('offers to restore the run after the engine died, and does', async function () {
    const workbench = requireWorkbench(this);
    const { uri, run } = await openRun('circles.nabla.json');
    await command('runToStep', 12);
    await waitForStep(uri, 12);
    assert.ok(run.engineProcessId);
    process.kill(run.engineProcessId, 'SIGKILL');
    await workbench.panelWait(state, { text: 'The engine was killed from outside.' });
    await workbench.clickInPanel('[data-action="restore"]');
    await waitForStep(uri, 12);
    await workbench.panelWait(state, { text: 'Step 12.' });
    await workbench.clickInPanel('role=button[name="Step"]');
    await workbench.panelWait(state, { text: 'Step 13.' });
  });

  it('says where the first NaN occurred', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('setLearningRate', 1e200);
    await command('run');
    const { frame } = await waitForRun(uri, 'divergence', (now) => now.frame?.status === 'diverged');
    assert.ok(frame?.nonFinite);
    await workbench.panelWait(state, { text: frame.nonFinite.where });
    assert.deepEqual(await workbench.problemsSeen(), []);
  });

  it('shows a gradient check', async function () {
    const workbench = requireWorkbench(this);
    const { run } = await openRun('circles.nabla.json');
    await command('step');
    await workbench.clickInPanel('[data-action="check"]');
    await eventually('the report', () => run.check);
    for (const { name } of run.check?.parameters ?? []) await workbench.panelWait('tr', { text: name });
  });

  it('takes a step number, and goes there', async function () {
    const workbench = requireWorkbench(this);
    const { uri } = await openRun('circles.nabla.json');
    await command('runToStep', 30);
    await waitForStep(uri, 30);
    await workbench.fillInPanel(stepField, '11');
    await workbench.pressInPanel('Enter', stepField);
    await waitForStep(uri, 11);
    await workbench.panelWait(state, { text: 'Step 11' });
  });
});
