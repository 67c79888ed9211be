// A runner for tests, with a clock of its own, whose commands are awaited until the run is idle.
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { LogpointMessage, RunState } from '../../src/protocol/breakpoints';
import { Runner, type RunnerOptions } from '../../src/session/runner';
import type { TrainingSession } from '../../src/session/session';

export function createIdleRunner(
  session: TrainingSession,
  options: Partial<Pick<RunnerOptions, 'emit' | 'sleep'>> = {},
) {
  const states: RunState[] = [];
  const messages: LogpointMessage[] = [];
  const failures: unknown[] = [];
  let time = 0;
  let wake = (): void => undefined;
  const runner = new Runner({
    session,
    now: () => (time += 0.05),
    sleep: () => setImmediate(),
    emit: () => Promise.resolve(),
    onError: (error) => failures.push(error),
    onState: (state) => {
      states.push(state);
      wake();
    },
    onLogpoints: async (batch) => void messages.push(...batch),
    ...options,
  });
  const isIdle = (): boolean => !['running', 'seeking'].includes(states.at(-1)!.status);
  /** Runs a command and waits until the run is idle. */
  const move = async (...args: Parameters<Runner['command']>): Promise<RunState> => {
    await runner.command(...args);
    while (!isIdle()) await new Promise<void>((resolve) => (wake = resolve));
    expect(failures).toEqual([]);
    return states.at(-1)!;
  };
  return { runner, messages, move };
}
