// "Debug Custom Layer": breakpoints in the user's file stop in VS Code's JavaScript debugger, with the tensors of the
// run.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, inWorkspace } from '../support/extension';
import {
  CUSTOM_LAYER_FILE,
  openCustomLayerRun,
  problemsIn,
  saveLayer,
  originalLayerText,
} from '../support/custom-layer';
import { closeAll, command, recordOf, waitForStep } from '../support/runs';

interface StoppedEvent {
  readonly session: vscode.DebugSession;
  readonly threadId: number;
}

interface DebugStackFrame {
  readonly id: number;
  readonly line: number;
  readonly source?: { readonly path?: string };
}

/** Records where debuggers stop. */
class StopTracker implements vscode.DebugAdapterTrackerFactory, vscode.Disposable {
  readonly #events: StoppedEvent[] = [];
  readonly #running = new Map<string, string>();
  readonly #registered = vscode.Disposable.from(
    vscode.debug.registerDebugAdapterTrackerFactory('*', this),
    vscode.debug.onDidStartDebugSession(({ id, name }) => this.#running.set(id, name)),
    vscode.debug.onDidTerminateDebugSession(({ id }) => this.#running.delete(id)),
  );

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { event?: string; body?: { threadId?: number } }) => {
        if (message.event === 'stopped') this.#events.push({ session, threadId: message.body?.threadId ?? 0 });
      },
    };
  }

  next(): Promise<StoppedEvent> {
    return eventually('a stop at a breakpoint', () => this.#events.shift());
  }

  /** Debug sessions that have started and not ended. */
  get running(): readonly string[] {
    return [...this.#running.values()];
  }

  dispose(): void {
    this.#registered.dispose();
  }
}

async function topFrame({ session, threadId }: StoppedEvent): Promise<DebugStackFrame> {
  const { stackFrames } = (await session.customRequest('stackTrace', { threadId })) as {
    stackFrames: readonly DebugStackFrame[];
  };
  return stackFrames[0];
}

async function evaluate(stop: StoppedEvent, expression: string): Promise<unknown> {
  const { id } = await topFrame(stop);
  const { result } = (await stop.session.customRequest('evaluate', {
    expression: `JSON.stringify(${expression})`,
    frameId: id,
    context: 'watch',
  })) as { result: string };
  return JSON.parse(result.slice(1, -1).replace(/\\"/g, '"'));
}

const resume = ({ session, threadId }: StoppedEvent): Thenable<unknown> =>
  session.customRequest('continue', { threadId });

describe('debugging a custom layer', () => {
  let uri: vscode.Uri;
  let written: string;
  let stops: StopTracker;

  before(async () => {
    written = await originalLayerText();
  });

  beforeEach(async () => {
    stops = new StopTracker();
    uri = await openCustomLayerRun();
  });

  afterEach(async () => {
    stops.dispose();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.debug.stopDebugging();
    await saveLayer(written);
    await closeAll();
  });

  it('stops at a breakpoint in the file with the tensors of the current step, and leaves the run unchanged', async () => {
    await command('runToStep', 5);
    const run = await waitForStep(uri, 5);
    const before = await recordOf(run);
    const line = written.split('\n').findIndex((text) => text.includes('return ops'));
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(inWorkspace(CUSTOM_LAYER_FILE), new vscode.Position(line, 0))),
    ]);
    const debugged = command('debugLayer', uri, 'swish1');
    const stop = await stops.next();
    const frame = await topFrame(stop);
    assert.equal(frame.line, line + 1);
    assert.ok(frame.source?.path?.endsWith(inWorkspace(CUSTOM_LAYER_FILE).path), `it stands in ${frame.source?.path}`);
    assert.deepEqual(await evaluate(stop, 'x.shape'), [32, 8]);
    const x = await evaluate(stop, 'Array.from(x.data.slice(0, 4))');
    const beta = await evaluate(stop, 'Array.from(parameters.beta.data.slice(0, 2))');
    // The code that calls the layer is not the user's, so it is skipped.
    const { stackFrames } = (await stop.session.customRequest('stackTrace', { threadId: stop.threadId })) as {
      stackFrames: { presentationHint?: string }[];
    };
    assert.deepEqual(
      stackFrames.slice(1).filter(({ presentationHint }) => presentationHint === 'normal'),
      [],
    );
    // Meanwhile the run continues in its own engine, which is not stopped.
    await command('step');
    await waitForStep(uri, 6);
    await command('seek', 5);
    await waitForStep(uri, 5);
    await resume(stop);
    await debugged;
    await eventually('the end of the debugger', () => {
      assert.deepEqual(stops.running, []);
      return true;
    });
    assert.deepEqual((await recordOf(run)).position, before.position);

    // The values that the engine itself passes to the layer at this step, logged by the layer.
    await saveLayer(
      'export default {\n  parameters: ([n]) => ({ beta: [n] }),\n  forward({ x, parameters }) {\n    throw new Error(JSON.stringify([Array.from(x.data.slice(0, 4)), Array.from(parameters.beta.data.slice(0, 2))]));\n  },\n};\n',
    );
    const problem = await eventually('what the layer says', () => problemsIn(CUSTOM_LAYER_FILE)[0]);
    assert.ok(
      problem.message.includes(JSON.stringify([x, beta])),
      `${problem.message} is not about ${JSON.stringify([x, beta])}`,
    );
  });

  it('is stepped into from the debugger of the run, at the phase that comes next, and gives back', async () => {
    await vscode.debug.startDebugging(undefined, {
      type: 'nablascope',
      request: 'launch',
      name: 'run',
      program: uri.fsPath,
    });
    const { session } = await stops.next();
    const move = async (request: string): Promise<StoppedEvent> => {
      await session.customRequest(request, { threadId: 1 });
      return stops.next();
    };
    const value = async (expression: string): Promise<string> =>
      ((await session.customRequest('evaluate', { expression, context: 'watch' })) as { result: string }).result;
    // Zero gradients, and the layer before.
    await move('next');
    await move('next');
    const before = await value('linear1.output[3, 2]');
    const code = await move('stepIn');
    assert.notEqual(code.session.id, session.id);
    const line = written.slice(0, written.indexOf('return ops')).split('\n').length;
    assert.equal((await topFrame(code)).line, line);
    assert.deepEqual(await evaluate(code, 'x.shape'), [32, 8]);
    assert.equal(String(await evaluate(code, 'x.data[3 * 8 + 2]')), before);
    await resume(code);
    const back = await stops.next();
    assert.equal(back.session.id, session.id);
    assert.equal(((await topFrame(back)) as { name?: string }).name, 'forward: swish1');
    const output = Number(await value('swish1.output[3, 2]'));
    const x = Number(before);
    assert.ok(Math.abs(output - x / (1 + Math.exp(-x))) < 1e-6, `${output} of ${x}`);
    assert.deepEqual(vscode.debug.breakpoints, []);
    // The layer has no code for the backward pass, so that is a phase like others.
    for (let i = 0; i < 4; i++) await move('stepIn');
    assert.equal(((await topFrame(await move('stepIn'))) as { name?: string }).name, 'backward: swish1');
    await vscode.debug.stopDebugging(session);
  });

  it('sets a breakpoint in forward if the file has none', async () => {
    await vscode.window.showTextDocument(inWorkspace(CUSTOM_LAYER_FILE));
    const debugged = command('debugLayer');
    const stop = await stops.next();
    assert.equal((await topFrame(stop)).line, written.slice(0, written.indexOf('return ops')).split('\n').length);
    assert.deepEqual(await evaluate(stop, 'Array.from(parameters.beta.data)'), Array(8).fill(1));
    // Stopping the debugger ends the process that it debugs.
    await vscode.debug.stopDebugging(stop.session.parentSession ?? stop.session);
    await debugged;
  });
});
