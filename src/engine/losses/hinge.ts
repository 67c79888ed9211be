import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/**
 * Mean over batch and outputs of max(0, margin - s z), with s = 2 y - 1 for targets y of 0 or 1. For several classes it
 * is one against the rest. The derivative at the margin is 0.
 */
export const hinge = defineLoss({
  kind: 'hinge',
  aliases: ['svm', 'max_margin'],
  summary:
    'The hinge loss max(0, margin - s · z), s = 2 y - 1: the mean over the batch and the outputs. Takes scores z, not probabilities. It has a kink at the margin.',
  formulas: (options) => ({
    equations: [
      `l = total(max(0, ${options.margin} - s .* yhat))${entries(options)} where s = 2 * y - 1`,
      `d(yhat) = -s .* when(s .* yhat < ${options.margin})${entries(options)} where s = 2 * y - 1`,
      `d(y) = -2 * yhat .* when(s .* yhat < ${options.margin})${entries(options)} where s = 2 * y - 1`,
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
    kernels.pointwiseLoss(prediction, target, 'hinge', options.margin) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'hinge', options.margin, scale);
  },
  breakpoint: (prediction, target, i, { margin }) => margin - (2 * target.data[i]! - 1) * prediction[i]!,
});
