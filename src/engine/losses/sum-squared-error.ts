import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';

/** scale · Σ_outputs (ŷ - y)², mean over the batch; gradient 2 scale (ŷ - y) / batch. */
export const sumSquaredError = defineLoss({
  kind: 'sum_squared_error',
  questions: { gradient: 'squared-distance' },
  aliases: ['sse', 'l2', 'squared_error'],
  summary: 'The squared error scale · Σ (ŷ - y)² over the outputs, the mean over the batch.',
  formulas: ({ scale }) => ({
    equations: [
      `l = ${scale} * total((yhat - y)^2) / N`,
      `d(yhat) = ${2 * scale} * (yhat - y) / N`,
      `d(y) = ${2 * scale} * (y - yhat) / N`,
    ],
  }),
  options: z.strictObject({
    scale: z._default(positiveNumber('Factor of the sum; with 0.5 the gradient is ŷ - y.'), 1),
  }),
  takes: 'values',
  estimates: 'mean',
  target: 'values',
  scaledBy: ({ scale }) => ({ option: 'scale', value: 2 * scale }),
  threshold: 0.5,
  value({ kernels, options, prediction, target }) {
    return (options.scale * kernels.squaredError(prediction, target)) / prediction.shape[0]!;
  },
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.squaredErrorBackward(gradPrediction, prediction, target, options.scale / prediction.shape[0]!);
  },
});
