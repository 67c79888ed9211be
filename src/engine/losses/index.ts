// The losses. To add one: a file beside this, and a line in the table.
import { bce } from './bce';
import { bceWithLogits } from './bce-with-logits';
import { crossEntropy } from './cross-entropy';
import { crossEntropyOnProbabilities } from './cross-entropy-on-probabilities';
import { mse } from './mse';
import { sumSquaredError } from './sum-squared-error';

export const losses = {
  mse,
  sum_squared_error: sumSquaredError,
  cross_entropy: crossEntropy,
  cross_entropy_on_probabilities: crossEntropyOnProbabilities,
  bce,
  bce_with_logits: bceWithLogits,
} as const;

export type LossKind = keyof typeof losses;
