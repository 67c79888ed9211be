import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/**
 * Mean over batch and outputs of ½ d² where |d| ≤ delta, else delta (|d| - ½ delta), d = ŷ - y: PyTorch's HuberLoss;
 * gradient d clamped to ±delta, / (batch · outputs).
 * Source: Huber, "Robust estimation of a location parameter", 1964.
 */
export const huber = defineLoss({
  kind: 'huber',
  aliases: ['smooth_l1'],
  summary:
    '½ (ŷ - y)² up to a distance of delta, linear beyond, so that outliers weigh less. The mean over the batch and the outputs.',
  formulas: (options) => ({
    equations: [
      `l = total(when(abs(r) <= ${options.delta}) .* r^2 / 2 + ${options.delta} * when(abs(r) > ${options.delta}) .* (abs(r) - ${options.delta} / 2))${entries(options)} where r = yhat - y`,
      `d(yhat) = max(-${options.delta}, min(${options.delta}, yhat - y))${entries(options)}`,
      `d(y) = -max(-${options.delta}, min(${options.delta}, yhat - y))${entries(options)}`,
    ],
  }),
  options: z.strictObject({
    delta: z._default(positiveNumber('The distance at which the loss changes from quadratic to linear.'), 1),
    reduction: reduction(OVER_ALL),
  }),
  takes: 'values',
  target: 'values',
  scaledBy: ({ delta }) => ({ option: 'delta', value: Math.min(1, delta) }),
  threshold: 0.5,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'huber', options.delta) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'huber', options.delta, scale);
  },
  breakpoint: (prediction, target, i, { delta }) => Math.abs(prediction[i]! - target.data[i]!) - delta,
});
