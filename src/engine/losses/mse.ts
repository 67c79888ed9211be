import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/** mean over batch and outputs of (ŷ - y)², PyTorch's MSELoss; gradient 2 (ŷ - y) / (batch · outputs). */
export const mse = defineLoss({
  kind: 'mse',
  aliases: ['mean_squared_error', 'squared_loss', 'quadratic'],
  summary: 'Mean squared error: the mean of (ŷ - y)² over the batch and the outputs.',
  formulas: (options) => ({
    equations: [
      `l = total((yhat - y)^2)${entries(options)}`,
      `d(yhat) = 2 * (yhat - y)${entries(options)}`,
      `d(y) = 2 * (y - yhat)${entries(options)}`,
    ],
  }),
  options: z.strictObject({ reduction: reduction(OVER_ALL) }),
  takes: 'values',
  estimates: 'mean',
  target: 'values',
  threshold: 0.5,
  value: ({ kernels, options, prediction, target }) =>
    kernels.squaredError(prediction, target) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.squaredErrorBackward(gradPrediction, prediction, target, 1 / divisor(options, prediction.data.length));
  },
});
