// "Debug This Layer": breakpoints in the user's file stop in VS Code's JavaScript debugger, with the run's own tensors.
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { eventually, inWorkspace } from '../support/extension';
import { LAYER, openOwnRun, problemsIn, saveLayer, writtenLayer } from '../support/own-layer';
import { closeAll, command, recordOf, untilStep } from '../support/runs';

interface Stop {
  readonly session: vscode.DebugSession;
  readonly threadId: number;
}

interface Frame {
  readonly id: number;
  readonly line: number;
  readonly source?: { readonly path?: string };
}

/** Where a debugger stands still, one after the other. */
class Stops implements vscode.DebugAdapterTrackerFactory, vscode.Disposable {
  readonly #stops: Stop[] = [];
  readonly #running = new Map<string, string>();
  readonly #registered = vscode.Disposable.from(
    vscode.debug.registerDebugAdapterTrackerFactory('*', this),
    vscode.debug.onDidStartDebugSession(({ id, name }) => this.#running.set(id, name)),
    vscode.debug.onDidTerminateDebugSession(({ id }) => this.#running.delete(id)),
  );

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { event?: string; body?: { threadId?: number } }) => {
        if (message.event === 'stopped') this.#stops.push({ session, threadId: message.body?.threadId ?? 0 });
      },
    };
  }

  next(): Promise<Stop> {
    return eventually('a stop at a breakpoint', () => this.#stops.shift());
  }

  /** Debuggers that have begun and not ended. */
  get running(): readonly string[] {
    return [...this.#running.values()];
  }

  dispose(): void {
    this.#registered.dispose();
  }
}

async function frameOf({ session, threadId }: Stop): Promise<Frame> {
  const { stackFrames } = (await session.customRequest('stackTrace', { threadId })) as { stackFrames: readonly Frame[] };
  return stackFrames[0];
}

async function valueOf(stop: Stop, expression: string): Promise<unknown> {
  const { id } = await frameOf(stop);
  const { result } = (await stop.session.customRequest('evaluate', { expression: `JSON.stringify(${expression})`, frameId: id, context: 'watch' })) as { result: string };
  return JSON.parse(result.slice(1, -1).replace(/\\"/g, '"'));
}

const goOn = ({ session, threadId }: Stop): Thenable<unknown> => session.customRequest('continue', { threadId });

describe('debugging a layer of the user', () => {
  let uri: vscode.Uri;
  let written: string;
  let stops: Stops;

  before(async () => {
    written = await writtenLayer();
  });

  beforeEach(async () => {
    stops = new Stops();
    uri = await openOwnRun();
  });

  afterEach(async () => {
    stops.dispose();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.debug.stopDebugging();
    await saveLayer(written);
    await closeAll();
  });

  it('stops at a breakpoint in the file, with the tensors of the step that is shown, and leaves the run as it is', async () => {
    await command('runToStep', 5);
    const run = await untilStep(uri, 5);
    const before = await recordOf(run);
    const line = written.split('\n').findIndex((text) => text.includes('return ops'));
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(inWorkspace(LAYER), new vscode.Position(line, 0)))]);
    const debugged = command('debugLayer', uri, 'swish1');
    const stop = await stops.next();
    const frame = await frameOf(stop);
    assert.equal(frame.line, line + 1);
    assert.ok(frame.source?.path?.endsWith(inWorkspace(LAYER).path), `it stands in ${frame.source?.path}`);
    assert.deepEqual(await valueOf(stop, 'x.shape'), [32, 8]);
    const x = await valueOf(stop, 'Array.from(x.data.slice(0, 4))');
    const beta = await valueOf(stop, 'Array.from(parameters.beta.data.slice(0, 2))');
    // What calls the layer is not the user's, and is not stepped through.
    const { stackFrames } = (await stop.session.customRequest('stackTrace', { threadId: stop.threadId })) as { stackFrames: { presentationHint?: string }[] };
    assert.deepEqual(stackFrames.slice(1).filter(({ presentationHint }) => presentationHint === 'normal'), []);
    // The run goes on meanwhile, in an engine that nobody stopped.
    await command('step');
    await untilStep(uri, 6);
    await command('seek', 5);
    await untilStep(uri, 5);
    await goOn(stop);
    await debugged;
    await eventually('the end of the debugger', () => {
      assert.deepEqual(stops.running, []);
      return true;
    });
    assert.deepEqual((await recordOf(run)).position, before.position);

    // What the engine itself hands to the layer at this step: the layer says so.
    await saveLayer('export default {\n  parameters: ([n]) => ({ beta: [n] }),\n  forward({ x, parameters }) {\n    throw new Error(JSON.stringify([Array.from(x.data.slice(0, 4)), Array.from(parameters.beta.data.slice(0, 2))]));\n  },\n};\n');
    const problem = await eventually('what the layer says', () => problemsIn(LAYER)[0]);
    assert.ok(problem.message.includes(JSON.stringify([x, beta])), `${problem.message} is not about ${JSON.stringify([x, beta])}`);
  });

  it('sets a breakpoint in forward where the file has none', async () => {
    await vscode.window.showTextDocument(inWorkspace(LAYER));
    const debugged = command('debugLayer');
    const stop = await stops.next();
    assert.equal((await frameOf(stop)).line, written.slice(0, written.indexOf('return ops')).split('\n').length);
    assert.deepEqual(await valueOf(stop, 'Array.from(parameters.beta.data)'), Array(8).fill(1));
    // Who ends the debugger ends what was debugged.
    await vscode.debug.stopDebugging(stop.session.parentSession ?? stop.session);
    await debugged;
  });
});
