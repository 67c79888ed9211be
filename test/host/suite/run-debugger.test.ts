// The debugger of runs in VS Code: F5 without launch.json, breakpoints, stepping both ways, a panel at the same step.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ended, evaluate, frameNames, useStops } from '../support/debugging';
import { eventually } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, waitForRun } from '../support/runs';

describe('the debugger of a run', () => {
  const nextStop = useStops();

  it('starts with F5, stops at breakpoints, and goes back, together with the panel', async function () {
    const workbench = requireWorkbench(this);
    const { editor, uri } = await openRun('circles.nabla.json');
    const line = editor.document
      .getText()
      .split('\n')
      .findIndex((text) => text.includes('"tanh"'));
    const location = new vscode.Location(uri, new vscode.Position(line, 0));
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(location, true, 'step == 3')]);
    await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.One);
    assert.equal(
      await vscode.debug.startDebugging(undefined, { type: 'nablascope', request: 'launch', name: '' }),
      true,
    );
    const entry = await nextStop();
    assert.deepEqual([entry.reason, await frameNames(entry)], ['entry', ['before step 1']]);

    await vscode.commands.executeCommand('workbench.action.debug.continue');
    const hit = await nextStop();
    assert.equal(hit.reason, 'breakpoint');
    const [top, step] = await frameNames(hit);
    assert.equal(top, 'forward: tanh1');
    assert.match(step, /^step 3 /);
    await waitForRun(
      uri,
      'the phase of the breakpoint',
      ({ frame }) => frame?.position.step === 2 && frame.position.phase === 3,
    );

    await vscode.commands.executeCommand('workbench.view.debug');
    await workbench.resize(1440, 900);
    await workbench.panelWait('[data-layer]');
    await workbench.screenshot('debugger');

    await vscode.commands.executeCommand('workbench.action.debug.stepOver');
    assert.equal((await frameNames(await nextStop()))[0], 'forward: output');
    await vscode.commands.executeCommand('workbench.action.debug.stepBack');
    assert.equal((await frameNames(await nextStop()))[0], 'forward: tanh1');

    // The panel moves the same run.
    await command('stepPhase');
    assert.equal((await frameNames(await nextStop()))[0], 'forward: output');
    const { result } = (await hit.session.customRequest('evaluate', { expression: 'step', context: 'watch' })) as {
      result: string;
    };
    assert.equal(result, '3');
    await vscode.commands.executeCommand('workbench.action.debug.reverseContinue');
    assert.equal((await frameNames(await nextStop()))[0], 'forward: tanh1');
    await vscode.debug.stopDebugging(hit.session);
    await ended();
    await waitForRun(uri, 'the run where it was', ({ frame }) => frame?.position.step === 2);
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await closeAll();
  });

  it('works by clicks: margin, F5, toolbar, and has numbers beside the lines', async function () {
    const workbench = requireWorkbench(this);
    // Not edited by other suites: the icons of tests may stay where an edit has moved them.
    const { editor, uri } = await openRun('circles-relu.nabla.json');
    const shown = await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.One);
    const line = editor.document
      .getText()
      .split('\n')
      .findIndex((text) => text.includes('"optimizer"'));
    // Not behind a panel below the editor.
    shown.revealRange(new vscode.Range(line, 0, line, 0), vscode.TextEditorRevealType.InCenter);
    // A margin beside a test's icon belongs to the test.
    await workbench.clickMargin('"optimizer"');
    await eventually('the breakpoint of the margin', () =>
      vscode.debug.breakpoints.some(
        (each) => each instanceof vscode.SourceBreakpoint && each.location.range.start.line === line,
      )
        ? true
        : undefined,
    );
    await workbench.press('F5');
    assert.equal((await nextStop()).reason, 'entry');
    await workbench.click('.debug-toolbar .codicon-debug-continue');
    const hit = await nextStop();
    assert.deepEqual([hit.reason, (await frameNames(hit))[0]], ['breakpoint', 'update']);

    const beside = (await hit.session.customRequest('inlineValues', { startLine: 1, endLine: 20 })) as {
      values: readonly { line: number; text: string }[];
    };
    assert.equal(beside.values.length, 5);

    await workbench.click('.debug-toolbar [aria-label^="Back Into"]');
    assert.equal((await frameNames(await nextStop()))[0], 'backward: hidden');
    await vscode.commands.executeCommand('workbench.view.debug');
    await vscode.commands.executeCommand('workbench.debug.action.focusWatchView');
    await vscode.commands.executeCommand('workbench.debug.viewlet.action.addWatchExpression');
    await workbench.wait('.debug-watch .monaco-inputbox input');
    await workbench.type('norm(grad(hidden.weight))');
    await workbench.press('Enter');
    const norm = await evaluate(hit.session, 'norm(grad(hidden.weight))');
    await workbench.wait(`.debug-watch .expression:has-text("${norm}")`);
    await vscode.commands.executeCommand('workbench.debug.action.focusRepl');
    await workbench.type('loss');
    await workbench.press('Enter');
    await workbench.wait(`.repl .expression:has-text("${await evaluate(hit.session, 'loss')}")`);
    await workbench.screenshot('debugger-clicks');
    await vscode.debug.stopDebugging(hit.session);
    await ended();
    await waitForRun(uri, 'the run where it was', ({ frame }) => frame?.position.phase === 9);
  });

  it('shows forks of the run as threads, which become the run when they are moved', async function () {
    const workbench = requireWorkbench(this);
    const { editor, uri } = await openRun('circles.nabla.json');
    await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.One);
    await vscode.debug.startDebugging(undefined, { type: 'nablascope', request: 'launch', name: '' });
    const { session } = await nextStop();
    await vscode.commands.executeCommand('workbench.view.debug');
    await vscode.commands.executeCommand('workbench.debug.action.focusRepl');
    await workbench.type('fork lr=0.01 to=3');
    await workbench.press('Enter');
    await nextStop();
    const { threads } = (await session.customRequest('threads')) as {
      threads: readonly { id: number; name: string }[];
    };
    assert.equal(threads.length, 2);
    const forkName = threads[1].name;
    await workbench.wait(`.debug-call-stack .thread:has-text("${forkName}")`);
    await workbench.screenshot('debugger-forks');
    await session.customRequest('next', { threadId: threads[1].id });
    await nextStop();
    await waitForRun(
      uri,
      'the first phase after the fork',
      ({ frame }) => frame?.position.step === 3 && frame.position.phase === 1,
    );
    await vscode.debug.stopDebugging(session);
    await ended();
    await closeAll();
  });

  it('leaves F5 in other JSON files alone', async function () {
    const workbench = requireWorkbench(this);
    await closeAll();
    // Of earlier tests.
    await vscode.commands.executeCommand('notifications.clearAll');
    const [{ uri: folder }] = vscode.workspace.workspaceFolders!;
    const file = vscode.Uri.joinPath(folder, 'other.json');
    await vscode.workspace.fs.writeFile(file, Buffer.from('{}'));
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
    const started = await vscode.debug.startDebugging(undefined, { type: 'nablascope', request: 'launch', name: '' });
    assert.equal(started, false);
    assert.deepEqual(await workbench.texts('.notification-toast'), []);
  });
});
