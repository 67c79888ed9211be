import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction, rows } from './reduction';

/** -Σ y z over log-probabilities z, mean over the batch, PyTorch's NLLLoss; gradient -y / batch. */
export const nll = defineLoss({
  kind: 'nll',
  aliases: ['negative_log_likelihood'],
  summary:
    'Negative log-likelihood: -Σ y z, the mean over the batch. Takes log-probabilities z from a log_softmax layer.',
  formulas: (options) => ({
    equations: [
      `l = -total(y .* yhat)${rows(options)}`,
      `d(yhat) = -y${rows(options)}`,
      `d(y) = -yhat${rows(options)}`,
    ],
  }),
  options: z.strictObject({ reduction: reduction(OVER_BATCH) }),
  takes: 'log_distribution',
  activation: { layer: 'log_softmax', counterpart: 'cross_entropy' },
  target: 'classes',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    -kernels.weightedSum(prediction, target) / divisor(options, prediction.shape[0]!),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.scale(gradPrediction, target, -1 / divisor(options, prediction.shape[0]!));
  },
});
