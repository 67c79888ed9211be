import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction } from './reduction';

/** mean over batch and outputs of (ŷ - y)², PyTorch's MSELoss; gradient 2 (ŷ - y) / (batch · outputs). */
export const mse = defineLoss({
  kind: 'mse',
  aliases: ['mean_squared_error', 'squared_loss', 'quadratic'],
  summary: 'Mean squared error: the mean of (ŷ - y)² over the batch and the outputs.',
  math: {
    value: String.raw`L = \operatorname{mean} (\hat y - y)^2`,
    gradient: String.raw`\d{\hat y} = \tfrac{2}{NK} (\hat y - y)`,
  },
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
