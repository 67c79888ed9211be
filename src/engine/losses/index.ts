// All losses. To add one, add a file to this folder and a line to the table.
import { bce } from './bce';
import { bceWithLogits } from './bce-with-logits';
import { crossEntropy } from './cross-entropy';
import { crossEntropyOnProbabilities } from './cross-entropy-on-probabilities';
import { hinge } from './hinge';
import { huber } from './huber';
import { mae } from './mae';
import { mse } from './mse';
import { multiMargin } from './multi-margin';
import { nll } from './nll';
import { squaredHinge } from './squared-hinge';
import { sumSquaredError } from './sum-squared-error';

export const losses = {
  mse,
  mae,
  huber,
  sum_squared_error: sumSquaredError,
  cross_entropy: crossEntropy,
  cross_entropy_on_probabilities: crossEntropyOnProbabilities,
  nll,
  bce,
  bce_with_logits: bceWithLogits,
  hinge,
  squared_hinge: squaredHinge,
  multi_margin: multiMargin,
} as const;

export type LossKind = keyof typeof losses;
