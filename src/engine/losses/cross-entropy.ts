import { noOptions } from '../options';
import { defineLoss } from './loss';

/** -Σ y log softmax(ŷ), mean over the batch, PyTorch's CrossEntropyLoss; gradient (softmax(ŷ) - y) / batch. */
export const crossEntropy = defineLoss({
  kind: 'cross_entropy',
  summary: 'Softmax and cross-entropy in one: -Σ y·ŷ + log Σ exp ŷ, mean over the batch. Takes logits; stays finite.',
  options: noOptions,
  target: 'classes',
  threshold: 0,
  value: ({ kernels, prediction, target }) => kernels.crossEntropy(prediction, target) / prediction.shape[0],
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.crossEntropyBackward(gradPrediction, prediction, target, 1 / prediction.shape[0]);
  },
});
