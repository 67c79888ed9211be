// The predicted effect of another rate is the actual effect when the same step is trained with it.
import type { QueryValue } from '../../src/protocol/queries';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';

const scan = (session: TrainingSession): QueryValue<'lr_scan'> | null => runQuery(session, { type: 'lr_scan' }).value;

const optimizers = [
  { type: 'sgd', lr: 0.2, momentum: 0.9 },
  { type: 'sgd', lr: 0.2, momentum: 0.5, nesterov: true },
  { type: 'adam', lr: 0.02 },
  { type: 'adamw', lr: 0.02, weight_decay: 0.1 },
  { type: 'rmsprop', lr: 0.01 },
  { type: 'adagrad', lr: 0.1 },
];

describe('other learning rates', () => {
  it.each(optimizers.map((optimizer) => [optimizer.type, optimizer] as const))(
    'with %s: the loss of the batch after the step at that rate',
    (_, optimizer) => {
      const spec = { ...smallSpec, precision: 'float64', optimizer };
      const session = createSession(spec);
      session.seek(9);
      const answer = scan(session);
      if (!answer) throw new Error('no answer');
      expect(answer.lr).toBe(optimizer.lr);
      expect(answer.rates[6]).toBe(optimizer.lr);
      for (const i of [0, 4, 6, 9, 12]) {
        const other = createSession(spec);
        other.seek(8);
        other.setLearningRate(answer.rates[i]);
        other.seek(9);
        expect(answer.losses[i]).toBeCloseTo(other.pass.evaluate(), 9);
      }
      const before = createSession(spec);
      before.seek(9);
      expect(answer.lossBefore).toBeCloseTo(before.loss ?? NaN, 9);
    },
  );

  it('are unknown before an update', () => {
    const session = createSession(smallSpec);
    expect(scan(session)).toBeNull();
    session.seek(3, 4);
    expect(scan(session)).toBeNull();
  });
});
