import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction } from './reduction';

/**
 * Mean over batch and outputs of max(0, margin - s z), where the target y of 0 or 1 gives the sign s = 2 y - 1. For several
 * classes: one against the rest, summed up in the mean. Slope 0 at the margin itself.
 */
export const hinge = defineLoss({
  kind: 'hinge',
  summary: 'The hinge loss max(0, margin - s · z), s = 2 y - 1: the mean over the batch and the outputs. Takes scores z, not probabilities. A kink at the margin.',
  math: {
    value: String.raw`L = \operatorname{mean} \max(0, m - s z), \quad s = 2 y - 1`,
    gradient: String.raw`\d{z} = -\tfrac{1}{NK} \, s \, [s z < m]`,
  },
  options: z.strictObject({
    margin: z._default(positive('How far on the right side of 0 a score must lie to cost nothing.'), 1),
    reduction: reduction(OVER_ALL),
  }),
  target: 'binary',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'hinge', options.margin) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'hinge', options.margin, scale);
  },
  seam: (prediction, target, i, { margin }) => margin - (2 * target.data[i] - 1) * prediction[i],
});
