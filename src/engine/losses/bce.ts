import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction, entries } from './reduction';

/** Mean over batch and outputs of -[y log p + (1-y) log(1-p)], with logarithms limited to -100: PyTorch's BCELoss. */
export const bce = defineLoss({
  kind: 'bce',
  questions: { gradient: 'bce-with-sigmoid' },
  aliases: ['binary_cross_entropy'],
  summary:
    'Binary cross-entropy on probabilities: the mean of -[y log p + (1-y) log(1-p)]. Takes the output of a sigmoid.',
  formulas: (options) => ({
    equations: [
      `l = -total(y .* max(log(yhat), -100) + (1 - y) .* max(log(1 - yhat), -100))${entries(options)}`,
      `d(yhat) = (yhat - y) / (yhat .* (1 - yhat))${entries(options)}`,
      `d(y) = (max(log(1 - yhat), -100) - max(log(yhat), -100))${entries(options)}`,
    ],
  }),
  options: z.strictObject({ reduction: reduction(OVER_ALL) }),
  takes: 'probabilities',
  activation: { layer: 'sigmoid', counterpart: 'bce_with_logits' },
  target: 'binary',
  threshold: 0.5,
  value: ({ kernels, options, prediction, target }) =>
    kernels.binaryCrossEntropy(prediction, target) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.binaryCrossEntropyBackward(
      gradPrediction,
      prediction,
      target,
      1 / divisor(options, prediction.data.length),
    );
  },
});
