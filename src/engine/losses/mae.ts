import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/**
 * Mean over batch and outputs of |ŷ - y|, PyTorch's L1Loss; gradient sign(ŷ - y) / (batch · outputs), 0 where they are
 * equal.
 */
export const mae = defineLoss({
  kind: 'mae',
  aliases: ['l1', 'mean_absolute_error'],
  summary: 'Mean absolute error: the mean of |ŷ - y| over the batch and the outputs. It has a kink at ŷ = y.',
  formulas: (options) => ({
    equations: [
      `l = total(abs(yhat - y))${entries(options)}`,
      `d(yhat) = sign(yhat - y)${entries(options)}`,
      `d(y) = sign(y - yhat)${entries(options)}`,
    ],
  }),
  options: z.strictObject({ reduction: reduction(OVER_ALL) }),
  takes: 'values',
  target: 'values',
  estimates: 'median',
  threshold: 0.5,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'absolute_error', 0) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'absolute_error', 0, scale);
  },
  breakpoint: (prediction, target, i) => prediction[i]! - target.data[i]!,
});
