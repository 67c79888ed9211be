// A debug adapter whose run is played by the test.
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type DebuggedRun, type DebuggedRunEvents, NablascopeDebugSession } from '../../src/debugger';
import type { RunState } from '../../src/protocol/breakpoints';
import type { SessionCommand } from '../../src/protocol/command';
import { createSession, smallSpec } from '../support/session-fixtures';

export const at = (step: number, phase: number): RunState => ({
  status: 'paused',
  position: { step, phase },
  hitBreakpoints: [],
  discovery: null,
  nonFinite: null,
});

/** Resolves once the session has done what it can do now. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Stopped before the first step. */
export async function openPlayedRun(
  query: DebuggedRun['calls']['query'],
  debugCode?: NonNullable<DebuggedRun['debugCode']>,
) {
  const { model } = createSession(smallSpec);
  const moves: SessionCommand[] = [];
  const events: string[] = [];
  const responses: DebugProtocol.Response[] = [];
  let run!: DebuggedRunEvents;
  const session = new NablascopeDebugSession((_, given) => {
    run = given;
    return Promise.resolve({
      file: '/small.nabla.json',
      text: JSON.stringify(smallSpec),
      model,
      calls: {
        command: (command) => Promise.resolve(void moves.push(command)),
        query,
        setBreakpoints: () => Promise.resolve([]),
      },
      undo: () => Promise.resolve(null),
      ...(debugCode && { debugCode }),
      dispose: () => Promise.resolve(),
    });
  });
  const waiting = new Map<string, () => void>();
  session.onDidSendMessage((message) => {
    const { event, command } = message as unknown as { event?: string; command?: string };
    if (event) events.push(event);
    else responses.push(message as DebugProtocol.Response);
    waiting.get(event ?? command ?? '')?.();
  });
  const sent = (name: string): Promise<void> => new Promise((resolve) => waiting.set(name, resolve));
  let seq = 0;
  const request = (command: string, args: object = {}): void =>
    session.handleMessage({ seq: ++seq, type: 'request', command, arguments: args } as DebugProtocol.Request);
  const initialized = sent('initialized');
  request('initialize');
  request('launch', { program: '/small.nabla.json' });
  await initialized;
  const stopped = sent('stopped');
  request('configurationDone');
  await stopped;
  return { request, sent, moves, events, responses, run };
}
