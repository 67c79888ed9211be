// Forks that are trained elsewhere, and the threads that show them, with a run that is played here.
import { expect, it } from 'vitest';
import type { EngineCalls } from '../../src/protocol/engine';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Query, TrainedFork } from '../../src/protocol/queries';
import { at, openPlayedRun, settle } from './played-run';

/** Was ended before its first step. */
const fork: TrainedFork = { from: 0, lr: null, seed: 3, to: 4, step: 0, diverged: null };

/** A session whose forks are asked for, and the answer to that. */
async function openAsking() {
  let answer!: () => void;
  const query = (() =>
    new Promise((resolve) => (answer = () => resolve({ value: [fork] })))) as unknown as EngineCalls['query'];
  const opened = await openPlayedRun(query);
  opened.events.length = 0;
  opened.run.onForks!();
  return {
    ...opened,
    answer: async (): Promise<void> => {
      answer();
      await settle();
    },
  };
}

it('stops for a new fork', async () => {
  const { answer, events } = await openAsking();
  await answer();
  expect(events).toEqual(['stopped']);
});

it('ends the thread of a fork that a change has discarded', async () => {
  let forks: readonly TrainedFork[] = [fork];
  const query = (() => Promise.resolve({ value: forks })) as unknown as EngineCalls['query'];
  const { events, run } = await openPlayedRun(query);
  run.onForks!();
  await settle();
  events.length = 0;
  forks = [];
  // Idle at the same position: something was set.
  run.onState(at(0, 0));
  await settle();
  expect(events).toEqual(['thread']);
});

it('says that a fork has no thread if it was cancelled before its first step', async () => {
  const query = (({ type }: Query) =>
    Promise.resolve({
      value: type === 'fork' ? { step: 0, done: true, diverged: null } : [],
    })) as unknown as EngineCalls['query'];
  const { request, responses } = await openPlayedRun(query);
  request('evaluate', { expression: 'fork lr=0.5', context: 'repl' });
  await settle();
  expect(responses.at(-1)).toMatchObject({ command: 'evaluate', success: true });
  expect((responses.at(-1) as DebugProtocol.EvaluateResponse).body.result).not.toContain('thread');
});

it('sends nothing about forks after the end', async () => {
  const { answer, events, request, sent } = await openAsking();
  const terminated = sent('terminated');
  request('terminate');
  await terminated;
  await answer();
  expect(events).toEqual(['terminated']);
});

it('restarts a fork without steps at the first one', async () => {
  const { answer, request, moves } = await openAsking();
  await answer();
  // Of the first fork's thread.
  request('restartFrame', { frameId: 22 });
  await settle();
  expect(moves).toEqual([
    { type: 'fork', step: 0, lr: null, seed: 3, to: 0 },
    { type: 'seek', step: 0 },
  ]);
});
