// Stepping into code of the user's own, which another debugger has for as long as the user likes, while the panel can
// move the run. Both are played here.
import { expect, it } from 'vitest';
import type { RunState } from '../../src/protocol/breakpoints';
import { at, openPlayedRun, settle } from './played-run';

/** A session that has stepped into the first layer, whose code is being debugged. */
async function stepIn() {
  let signal!: AbortSignal;
  let endDebugging!: () => void;
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const { request, sent, moves, run } = await openPlayedRun(
    () => Promise.reject(new Error('There are no values.')),
    (_layer, _phase, given) => {
      signal = given;
      return new Promise((resolve) => {
        endDebugging = () => resolve(true);
        begin();
      });
    },
  );
  // Zero gradients are done.
  run.onState(at(0, 1));
  request('stepIn', { threadId: 1 });
  await begun;
  /** Resolves once the session has noticed. */
  const end = async (): Promise<void> => {
    endDebugging();
    await settle();
  };
  return { request, sent, end, moves, state: (state: RunState) => run.onState(state), signal };
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
