// The debugger of runs in VS Code: F5 without launch.json, breakpoints, stepping both ways, a panel at the same step.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually } from '../support/extension';
import { requireWorkbench } from '../support/workbench-driver';
import { closeAll, command, openRun, waitForRun } from '../support/runs';

interface Stop {
  readonly reason: string;
  readonly session: vscode.DebugSession;
}

/** Records where the debugger stops. */
function trackStops(): { readonly next: () => Promise<Stop>; readonly dispose: () => void } {
  const stops: Stop[] = [];
  const registered = vscode.debug.registerDebugAdapterTrackerFactory('nablascope', {
    createDebugAdapterTracker: (session) => ({
      onDidSendMessage: (message: { event?: string; body?: { reason?: string } }) => {
        if (message.event === 'stopped') stops.push({ reason: message.body?.reason ?? '', session });
      },
    }),
  });
  return { next: () => eventually('a stop', () => stops.shift()), dispose: () => void registered.dispose() };
}

async function frameNames({ session }: Stop): Promise<string[]> {
  const { stackFrames } = (await session.customRequest('stackTrace', { threadId: 1 })) as {
    stackFrames: readonly { name: string }[];
  };
  return stackFrames.map(({ name }) => name);
}

describe('the debugger of a run', () => {
  const stops = trackStops();

  after(async () => {
    stops.dispose();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.debug.stopDebugging();
    await closeAll();
  });

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
    const entry = await stops.next();
    assert.deepEqual([entry.reason, await frameNames(entry)], ['entry', ['before step 1']]);

    await vscode.commands.executeCommand('workbench.action.debug.continue');
    const hit = await stops.next();
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
    assert.equal((await frameNames(await stops.next()))[0], 'forward: output');
    await vscode.commands.executeCommand('workbench.action.debug.stepBack');
    assert.equal((await frameNames(await stops.next()))[0], 'forward: tanh1');

    // The panel moves the same run.
    await command('stepPhase');
    assert.equal((await frameNames(await stops.next()))[0], 'forward: output');
    const { result } = (await hit.session.customRequest('evaluate', { expression: 'step', context: 'watch' })) as {
      result: string;
    };
    assert.equal(result, '3');
    await vscode.commands.executeCommand('workbench.action.debug.reverseContinue');
    assert.equal((await frameNames(await stops.next()))[0], 'forward: tanh1');
    await vscode.debug.stopDebugging(hit.session);
    await eventually('the end of the session', () =>
      vscode.debug.activeDebugSession === undefined ? true : undefined,
    );
    await waitForRun(uri, 'the run where it was', ({ frame }) => frame?.position.step === 2);
  });
});
