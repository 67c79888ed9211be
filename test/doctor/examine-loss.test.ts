// The loss of a prediction that knows nothing of the input, by hand.
import { expect, it } from 'vitest';
import { examineInitialLoss } from '../../src/doctor/examine-loss';
import { createSession } from '../support/session-fixtures';

it.each([
  // All predictions at the median 0: 9 / 4.
  ['mae', 2.25],
  // All at the mean 2.25: (3 · 2.25² + 6.75²) / 4.
  ['mse', 15.1875],
])('expects of %s the least loss of a constant', (loss, expected) => {
  const session = createSession({
    data: { type: 'inline', inputs: [[1], [2], [3], [4]], targets: [0, 9, 0, 0] },
    layers: [{ type: 'linear', out_features: 1 }],
    loss,
  });
  expect(examineInitialLoss(session).expected).toBeCloseTo(expected, 6);
});
