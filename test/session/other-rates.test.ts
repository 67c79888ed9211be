// What another rate would have done is what it does: the same step is trained with it.
import { describe, expect, it } from 'vitest';
import { answerTo, type AnswerTo } from '../../src/session/questions';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, smallSpec } from '../support/run';

const ask = (session: TrainingSession): AnswerTo<'other_rates'> | null => answerTo(session, { about: 'other_rates' }).answer;

const optimizers = [
  { type: 'sgd', lr: 0.2, momentum: 0.9 }, { type: 'sgd', lr: 0.2, momentum: 0.5, nesterov: true }, { type: 'adam', lr: 0.02 },
  { type: 'adamw', lr: 0.02, weight_decay: 0.1 }, { type: 'rmsprop', lr: 0.01 }, { type: 'adagrad', lr: 0.1 },
];

describe('other learning rates', () => {
  it.each(optimizers.map((optimizer) => [optimizer.type, optimizer] as const))('with %s: the loss of the batch after the step at that rate', (_, optimizer) => {
    const spec = { ...smallSpec, precision: 'float64', optimizer };
    const session = sessionOf(spec);
    session.seek(9);
    const answer = ask(session);
    if (!answer) throw new Error('no answer');
    expect(answer.lr).toBe(optimizer.lr);
    expect(answer.rates[6]).toBe(optimizer.lr);
    for (const i of [0, 4, 6, 9, 12]) {
      const other = sessionOf(spec);
      other.seek(8);
      other.setLearningRate(answer.rates[i]);
      other.seek(9);
      expect(answer.losses[i]).toBeCloseTo(other.pass.evaluate(), 9);
    }
    const before = sessionOf(spec);
    before.seek(9);
    expect(answer.before).toBeCloseTo(before.loss ?? NaN, 9);
  });

  it('are not known before an update', () => {
    const session = sessionOf(smallSpec);
    expect(ask(session)).toBeNull();
    session.seek(3, 4);
    expect(ask(session)).toBeNull();
  });
});
