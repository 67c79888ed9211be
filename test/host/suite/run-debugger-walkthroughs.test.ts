// The stories of docs/debugger-walkthroughs.md, played in the window. Their pictures are taken here.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { openRun } from '../support/runs';
import { requireWorkbench } from '../support/workbench-driver';
import { ended, evaluate, frameNames, useStops } from '../support/debugging';

describe('walkthroughs of the debugger', () => {
  const nextStop = useStops();

  const launch = async (name: string) => {
    const { editor } = await openRun(name);
    await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.One);
    await vscode.debug.startDebugging(undefined, { type: 'nablascope', request: 'launch', name: '' });
    const { session } = await nextStop();
    const move = async (command: string) => {
      await vscode.commands.executeCommand(`workbench.action.debug.${command}`);
      return nextStop();
    };
    await vscode.commands.executeCommand('workbench.view.debug');
    return { session, move };
  };

  it('shows where NaN comes from, backward', async function () {
    const workbench = requireWorkbench(this);
    await workbench.resize(1500, 900);
    const { session, move } = await launch('nan-at-step-412.nabla.json');
    const nan = await move('continue');
    assert.deepEqual(
      [nan.reason, await frameNames(nan)],
      ['exception', ['backward: output', 'step 411 (epoch 69, batch 3)']],
    );
    await workbench.wait('.exception-widget');
    await workbench.screenshot('walkthrough-nan');

    vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint('loss', true, 'crosses(0.1)')]);
    const steps: string[] = [];
    for (let i = 0; i < 11; i++) {
      await move('reverseContinue');
      steps.push(await evaluate(session, 'step'));
    }
    assert.equal(steps.join(), '392,390,389,388,375,374,373,372,368,367,365');
    assert.equal((await evaluate(session, 'lr')).slice(0, 6), '0.6556');
    await workbench.wait('.editor-instance .view-line:has-text("‖output‖")');
    await workbench.screenshot('walkthrough-cause');
    await vscode.debug.stopDebugging(session);
    await ended();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  });

  it('shows one training step, forward, backward and back', async function () {
    const workbench = requireWorkbench(this);
    const { session, move } = await launch('one-neuron.nabla.json');
    for (let i = 0; i < 7; i++) await move('stepOver');
    assert.equal(await evaluate(session, 'grad(linear1.weight)[0, 0]'), '0.9999999999999998');
    await workbench.wait('.editor-instance .view-line:has-text("‖output‖")');
    await workbench.screenshot('walkthrough-backward');
    await move('stepOver');
    assert.equal(await evaluate(session, 'linear1.weight[0, 0]'), '-3.05');
    await move('stepBack');
    assert.equal(await evaluate(session, 'linear1.weight[0, 0]'), '-3');
    await vscode.debug.stopDebugging(session);
    await ended();
  });
});
