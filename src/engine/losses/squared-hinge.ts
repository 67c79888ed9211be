import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/**
 * Mean over batch and outputs of max(0, margin - s z)², with s = 2 y - 1 for targets y of 0 or 1. For several classes
 * it is one against the rest.
 */
export const squaredHinge = defineLoss({
  kind: 'squared_hinge',
  summary:
    'The squared hinge loss max(0, margin - s · z)², s = 2 y - 1: the mean over the batch and the outputs. Takes scores z, not probabilities.',
  formulas: (options) => ({
    equations: [
      `l = total(max(0, ${options.margin} - s .* yhat)^2)${entries(options)} where s = 2 * y - 1`,
      `d(yhat) = -2 * s .* max(0, ${options.margin} - s .* yhat)${entries(options)} where s = 2 * y - 1`,
      `d(y) = -4 * yhat .* max(0, ${options.margin} - s .* yhat)${entries(options)} where s = 2 * y - 1`,
    ],
  }),
  options: z.strictObject({
    margin: z._default(positiveNumber('The score above which a correct prediction has no loss.'), 1),
    reduction: reduction(OVER_ALL),
  }),
  takes: 'scores',
  target: 'binary',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'squared_hinge', options.margin) /
    divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'squared_hinge', options.margin, scale);
  },
  breakpoint: (prediction, target, i, { margin }) => margin - (2 * target.data[i]! - 1) * prediction[i]!,
});
