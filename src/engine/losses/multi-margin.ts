import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction } from './reduction';

/**
 * Σ_{i≠c} max(0, margin - z_c + z_i)ᵖ / outputs for the class c, mean over the batch: PyTorch's MultiMarginLoss, the
 * hinge loss of Crammer and Singer divided by the number of outputs. Of a target with several shares, their mean.
 */
export const multiMargin = defineLoss({
  kind: 'multi_margin',
  summary:
    'The hinge loss for several classes: Σ max(0, margin - z_c + z_i)ᵖ over all classes i but the right one c, divided by the outputs; mean over the batch. Takes scores z.',
  options: z.strictObject({
    p: z._default(z.literal([1, 2]).check(z.describe('1 for the hinge, 2 for the squared hinge.')), 1),
    margin: z._default(positive('How far the right score must lie above every other one to cost nothing.'), 1),
    reduction: reduction(OVER_BATCH),
  }),
  target: 'classes',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.multiMargin(prediction, target, options.p, options.margin) / divisor(options, prediction.shape[0]),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.shape[0]);
    kernels.multiMarginBackward(gradPrediction, prediction, target, options.p, options.margin, scale);
  },
  seam(prediction, target, i, { margin }) {
    const classes = target.shape[target.shape.length - 1];
    const row = i - (i % classes);
    let product = 1;
    // One factor for each class that the row's target names: mostly one.
    for (let c = row; c < row + classes; c++) {
      if (c !== i && target.data[c] !== 0) product *= margin - prediction[c] + prediction[i];
    }
    return product;
  },
});
