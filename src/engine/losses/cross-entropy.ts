import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction } from './reduction';

/** -Σ y log softmax(ŷ), mean over the batch, PyTorch's CrossEntropyLoss; gradient (softmax(ŷ) - y) / batch. */
export const crossEntropy = defineLoss({
  kind: 'cross_entropy',
  summary: 'Softmax and cross-entropy in one: -Σ y·ŷ + log Σ exp ŷ, mean over the batch. Takes logits; stays finite.',
  options: z.strictObject({ reduction: reduction(OVER_BATCH) }),
  target: 'classes',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.crossEntropy(prediction, target) / divisor(options, prediction.shape[0]),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.crossEntropyBackward(gradPrediction, prediction, target, 1 / divisor(options, prediction.shape[0]));
  },
});
