// Steps replayed in another session, for a debugger: the same numbers as in the run.
import { describe, expect, it } from 'vitest';
import { replayStep } from '../../src/session/replay-step';
import { createHotReloadRecord } from '../../src/session/hot-reload';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';

const text = JSON.stringify(smallSpec);
const replay = (session: TrainingSession, steps = 1) =>
  replayStep(session.run, text, createHotReloadRecord(session), steps, {});

/** The loss of each step, by its number from 1. */
function trainLosses(steps: number): (number | null)[] {
  const session = createSession(smallSpec);
  return [null, ...Array.from({ length: steps }, () => (session.step(), session.loss))];
}

describe('a replayed step', () => {
  it('is the current one', () => {
    const session = createSession(smallSpec);
    const expected = trainLosses(9);
    expect(replay(session)).toEqual({ kind: 'done', step: 1, loss: expected[1] });
    for (let step = 1; step <= 8; step++) {
      session.step();
      expect(replay(session)).toEqual({ kind: 'done', step, loss: expected[step] });
    }
    session.stepPhase();
    expect(replay(session)).toEqual({ kind: 'done', step: 9, loss: expected[9] });
  });

  it('is followed by later ones, up to the end of the run', () => {
    const session = createSession(smallSpec);
    const { totalSteps } = session;
    session.seek(3);
    const expected = trainLosses(totalSteps);
    expect(replay(session, 4)).toEqual({ kind: 'done', step: 6, loss: expected[6] });
    expect(replay(session, Infinity)).toEqual({ kind: 'done', step: totalSteps, loss: expected[totalSteps] });
    session.seek(totalSteps);
    expect(replay(session)).toEqual({ kind: 'done', step: totalSteps, loss: expected[totalSteps] });
  });

  it('is the first one without a record', () => {
    expect(replayStep(createSession(smallSpec).run, text, null, 1, {})).toEqual({
      kind: 'done',
      step: 1,
      loss: trainLosses(1)[1],
    });
  });
});
