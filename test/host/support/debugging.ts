// What tests of the debugger share: where it stops, and what it shows there.
import * as vscode from 'vscode';
import { eventually } from './extension';
import { closeAll } from './runs';

export interface Stop {
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
  const next = async (): Promise<Stop> => {
    const stop = await eventually('a stop', () => stops.shift());
    // VS Code learns of it later than the tracker: until then, its commands do nothing.
    await eventually('the stop in VS Code', () => vscode.debug.activeStackItem);
    return stop;
  };
  return { next, dispose: () => void registered.dispose() };
}

/** Records stops for the tests of a suite, and ends debugging after them. */
export function useStops(): () => Promise<Stop> {
  let stops: ReturnType<typeof trackStops>;
  before(() => {
    stops = trackStops();
  });
  after(async () => {
    stops.dispose();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.debug.stopDebugging();
    await closeAll();
  });
  return () => stops.next();
}

export async function frameNames({ session }: Stop): Promise<string[]> {
  const { stackFrames } = (await session.customRequest('stackTrace', { threadId: 1 })) as {
    stackFrames: readonly { name: string }[];
  };
  return stackFrames.map(({ name }) => name);
}

export async function evaluate(session: vscode.DebugSession, expression: string): Promise<string> {
  const { result } = (await session.customRequest('evaluate', { expression, context: 'watch' })) as { result: string };
  return result;
}

export const ended = (): Promise<unknown> =>
  eventually('the end of the session', () => (vscode.debug.activeDebugSession === undefined ? true : undefined));
