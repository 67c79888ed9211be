// Stepping into code of the user's own, which another debugger has for as long as the user likes, while the panel can
// move the run. Both are played here.
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, it } from 'vitest';
import { NablascopeDebugSession, type DebuggedRunEvents } from '../../src/debugger';
import type { SessionCommand } from '../../src/protocol/command';
import type { RunState } from '../../src/protocol/breakpoints';
import { createSession, smallSpec } from '../support/session-fixtures';

const at = (step: number, phase: number): RunState => ({
  status: 'paused',
  position: { step, phase },
  hitBreakpoints: [],
  discovery: null,
  nonFinite: null,
});

/** A session that has stepped into the first layer, whose code is being debugged. */
async function stepIn() {
  const { model } = createSession(smallSpec);
  const moves: SessionCommand[] = [];
  let events!: DebuggedRunEvents;
  let signal!: AbortSignal;
  let endDebugging!: () => void;
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const session = new NablascopeDebugSession((_, given) => {
    events = given;
    return Promise.resolve({
      file: '/small.nabla.json',
      text: JSON.stringify(smallSpec),
      model,
      calls: {
        command: (command) => Promise.resolve(void moves.push(command)),
        query: () => Promise.reject(new Error('There are no values.')),
        setBreakpoints: () => Promise.resolve([]),
      },
      undo: () => Promise.resolve(null),
      debugCode: (_layer, _phase, given) => {
        signal = given;
        return new Promise((resolve) => {
          endDebugging = () => resolve(true);
          begin();
        });
      },
      dispose: () => Promise.resolve(),
    });
  });
  const waiting = new Map<string, () => void>();
  session.onDidSendMessage((message) => {
    const { event, command } = message as unknown as { event?: string; command?: string };
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
  // Zero gradients are done.
  events.onState(at(0, 1));
  request('stepIn', { threadId: 1 });
  await begun;
  /** Resolves once the session has noticed. */
  const end = async (): Promise<void> => {
    endDebugging();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { request, sent, end, moves, state: (state: RunState) => events.onState(state), signal };
}

it('does the phase once its code was debugged', async () => {
  const { end, moves, signal } = await stepIn();
  expect(moves).toEqual([]);
  await end();
  expect(moves).toEqual([{ type: 'stepPhase' }]);
  expect(signal.aborted).toBe(false);
});

it.each([
  ['paused', at(0, 1)],
  ['moved', at(0, 3)],
  ['started', { ...at(0, 1), status: 'running' as const }],
])('does not move a run that was %s meanwhile', async (_, state) => {
  const { end, moves, state: report } = await stepIn();
  report(state);
  await end();
  expect(moves).toEqual([]);
});

it.each(['terminate', 'disconnect'])('ends the other debugger at %s', async (command) => {
  const { request, sent, end, moves, signal } = await stepIn();
  const answered = sent(command);
  request(command);
  await answered;
  expect(signal.aborted).toBe(true);
  await end();
  expect(moves).toEqual([]);
});
