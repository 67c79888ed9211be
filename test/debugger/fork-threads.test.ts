// Forks that are trained elsewhere, and the threads that show them, with a run that is played here.
import { expect, it } from 'vitest';
import type { EngineCalls } from '../../src/protocol/engine';
import type { TrainedFork } from '../../src/protocol/queries';
import { openPlayedRun, settle } from './played-run';

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
