import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction } from './reduction';

/**
 * Σ_{i≠c} max(0, margin - z_c + z_i)ᵖ / outputs for the class c, mean over the batch: PyTorch's MultiMarginLoss, the
 * hinge loss of Crammer and Singer divided by the number of outputs. For a target with several classes, their mean.
 */
export const multiMargin = defineLoss({
  kind: 'multi_margin',
  aliases: ['crammer_singer', 'multiclass_hinge', 'categorical_hinge'],
  summary:
    'The multi-class hinge loss: Σ max(0, margin - z_c + z_i)ᵖ over all classes i except the correct one c, divided by the number of outputs; the mean over the batch. Takes scores z.',
  options: z.strictObject({
    p: z._default(z.literal([1, 2]).check(z.describe('1 for the hinge, 2 for the squared hinge.')), 1),
    margin: z._default(
      positiveNumber('How far the score of the correct class must exceed every other one for a loss of 0.'),
      1,
    ),
    reduction: reduction(OVER_BATCH),
  }),
  takes: 'scores',
  target: 'classes',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.multiMargin(prediction, target, options.p, options.margin) / divisor(options, prediction.shape[0]!),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.shape[0]!);
    kernels.multiMarginBackward(gradPrediction, prediction, target, options.p, options.margin, scale);
  },
  breakpoint(prediction, target, i, { margin }) {
    const classes = target.shape[target.shape.length - 1]!;
    const row = i - (i % classes);
    let product = 1;
    // One factor for each class in the row's target, usually one.
    for (let c = row; c < row + classes; c++) {
      if (c !== i && target.data[c] !== 0) product *= margin - prediction[c]! + prediction[i]!;
    }
    return product;
  },
});
