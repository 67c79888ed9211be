import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction, rows } from './reduction';

/**
 * Σ_{i≠c} max(0, margin - z_c + z_i)ᵖ / outputs for the class c, mean over the batch: PyTorch's MultiMarginLoss, the
 * hinge loss of Crammer and Singer divided by the number of outputs. For a target with several classes, their mean.
 */
export const multiMargin = defineLoss({
  kind: 'multi_margin',
  aliases: ['crammer_singer', 'multiclass_hinge', 'categorical_hinge'],
  summary:
    'The multi-class hinge loss: Σ max(0, margin - z_c + z_i)ᵖ over all classes i except the correct one c, divided by the number of outputs; the mean over the batch. Takes scores z.',
  formulas(options) {
    const { p, margin } = options;
    const by = `${rows(options)} / K`;
    const excess = 'e[n, c, i]';
    const where = `where ${excess} = (1 - when(c == i)) * (${margin} - yhat[n, c] + yhat[n, i])`;
    const slope = (at: string): string => (p === 1 ? `when(${at} > 0)` : `2 * max(0, ${at})`);
    return {
      equations: [
        `l = sum(n, c, i: y[n, c] * max(0, ${excess})^${p})${by} ${where}`,
        `d(yhat)[n, k] = (sum(c: y[n, c] * ${slope('e[n, c, k]')}) - y[n, k] * sum(i: ${slope('e[n, k, i]')}))${by} ${where}`,
        `d(y)[n, k] = sum(i: max(0, e[n, k, i])^${p})${by} ${where}`,
      ],
    };
  },
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
