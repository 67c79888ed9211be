import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/** Mean over batch and outputs of log(1 + exp(x)) - x y, PyTorch's BCEWithLogitsLoss; gradient (σ(x) - y) / n. */
export const bceWithLogits = defineLoss({
  kind: 'bce_with_logits',
  questions: { gradient: 'bce-with-sigmoid' },
  aliases: ['binary_cross_entropy_with_logits', 'sigmoid_cross_entropy', 'sigmoid_cross_entropy_with_logits'],
  summary:
    'Sigmoid and binary cross-entropy combined, the mean over the batch and the outputs. Takes logits; always finite.',
  formulas: (options) => ({
    equations: [
      `l = total(max(0, yhat) - y .* yhat + log(1 + exp(-abs(yhat))))${entries(options)}`,
      `d(yhat) = (sigmoid(yhat) - y)${entries(options)}`,
      `d(y) = -yhat${entries(options)}`,
    ],
  }),
  options: z.strictObject({ reduction: reduction(OVER_ALL) }),
  takes: 'logits',
  activation: { layer: 'sigmoid', counterpart: 'bce' },
  target: 'binary',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.binaryCrossEntropyWithLogits(prediction, target) / divisor(options, prediction.data.length),
  probabilities: (kernels, out, prediction) => kernels.sigmoid(out, prediction),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.binaryCrossEntropyWithLogitsBackward(
      gradPrediction,
      prediction,
      target,
      1 / divisor(options, prediction.data.length),
    );
  },
});
