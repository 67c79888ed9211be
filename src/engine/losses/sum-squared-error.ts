import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLoss } from './loss';

/** scale · Σ_outputs (ŷ - y)², mean over the batch; gradient 2 scale (ŷ - y) / batch. */
export const sumSquaredError = defineLoss({
  kind: 'sum_squared_error',
  summary: 'The squared distance scale · Σ (ŷ - y)² summed over the outputs, mean over the batch.',
  math: {
    value: String.raw`L = \tfrac{s}{N} \sum_n \lVert \hat y_n - y_n \rVert^2`,
    gradient: String.raw`\d{\hat y} = \tfrac{2s}{N} (\hat y - y)`,
  },
  options: z.strictObject({
    scale: z._default(positive('Factor before the sum; 0.5 makes the gradient ŷ - y.'), 1),
  }),
  target: 'values',
  threshold: 0.5,
  value({ kernels, options, prediction, target }) {
    return (options.scale * kernels.squaredError(prediction, target)) / prediction.shape[0];
  },
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.squaredErrorBackward(gradPrediction, prediction, target, options.scale / prediction.shape[0]);
  },
});
