import { expect, it } from 'vitest';
import { ExpressionError } from '../../src/expressions';
import { RunQuery } from '../../src/session/run-query';
import { createSession } from '../support/session-fixtures';
import { hostileQueries } from './hostile-queries';

it('each of 500 hostile queries says at its place what is wrong, before a step is trained', () => {
  const session = createSession({
    data: { type: 'circles', samples: 35 },
    layers: [{ type: 'linear', out_features: 3, name: 'hidden' }, 'tanh', { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
    batch_size: 8,
    epochs: 10,
  });
  expect(session.totalSteps).toBe(30);
  const answered: string[] = [];
  for (const text of hostileQueries) {
    try {
      new RunQuery(session, text, { from: 1, to: 28, lastStep: 28 });
      answered.push(text);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { message, start, end } = error;
      expect(message).toMatch(/[.?]$/);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(text.length);
    }
  }
  expect(answered).toEqual([]);
  expect(hostileQueries.length).toBeGreaterThanOrEqual(500);
  expect(session.position.step).toBe(0);
});
