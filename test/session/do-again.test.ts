// Steps done again elsewhere, for a debugger: the same numbers as in the run that they are of.
import { describe, expect, it } from 'vitest';
import { doAgain } from '../../src/session/do-again';
import { handOver } from '../../src/session/hand-over';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, smallSpec } from '../support/run';

const text = JSON.stringify(smallSpec);
const again = (session: TrainingSession, steps = 1) => doAgain(session.run, text, handOver(session), steps, {});

/** The loss of each step, by its number from 1. */
function losses(steps: number): (number | null)[] {
  const session = sessionOf(smallSpec);
  return [null, ...Array.from({ length: steps }, () => (session.step(), session.loss))];
}

describe('a step done again', () => {
  it('is the one that is shown', () => {
    const session = sessionOf(smallSpec);
    const expected = losses(9);
    expect(again(session)).toEqual({ kind: 'done', step: 1, loss: expected[1] });
    for (let step = 1; step <= 8; step++) {
      session.step();
      expect(again(session)).toEqual({ kind: 'done', step, loss: expected[step] });
    }
    session.stepPhase();
    expect(again(session)).toEqual({ kind: 'done', step: 9, loss: expected[9] });
  });

  it('is followed by those after it, to the end of the run', () => {
    const session = sessionOf(smallSpec);
    const { totalSteps } = session;
    session.seek(3);
    const expected = losses(totalSteps);
    expect(again(session, 4)).toEqual({ kind: 'done', step: 6, loss: expected[6] });
    expect(again(session, Infinity)).toEqual({ kind: 'done', step: totalSteps, loss: expected[totalSteps] });
    session.seek(totalSteps);
    expect(again(session)).toEqual({ kind: 'done', step: totalSteps, loss: expected[totalSteps] });
  });

  it('is the first, where nothing was kept', () => {
    expect(doAgain(sessionOf(smallSpec).run, text, null, 1, {})).toEqual({ kind: 'done', step: 1, loss: losses(1)[1] });
  });
});
