import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction } from './reduction';

/**
 * Mean over batch and outputs of max(0, margin - s z)², where the target y of 0 or 1 gives the sign s = 2 y - 1. For several
 * classes: one against the rest, summed up in the mean. Slope 0 at the margin itself.
 */
export const squaredHinge = defineLoss({
  kind: 'squared_hinge',
  summary: 'The squared hinge loss max(0, margin - s · z)², s = 2 y - 1: the mean over the batch and the outputs. Takes scores z, not probabilities.',
  math: {
    value: String.raw`L = \operatorname{mean} \max(0, m - s z)^2, \quad s = 2 y - 1`,
    gradient: String.raw`\d{z} = -\tfrac{2}{NK} \, s \max(0, m - s z)`,
  },
  options: z.strictObject({
    margin: z._default(positive('How far on the right side of 0 a score must lie to cost nothing.'), 1),
    reduction: reduction(OVER_ALL),
  }),
  target: 'binary',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'squared_hinge', options.margin) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'squared_hinge', options.margin, scale);
  },
  seam: (prediction, target, i, { margin }) => margin - (2 * target.data[i] - 1) * prediction[i],
});
