import { noOptions } from '../options';
import { defineLoss } from './loss';

/** Mean over batch and outputs of log(1 + exp(x)) - x y, PyTorch's BCEWithLogitsLoss; gradient (σ(x) - y) / n. */
export const bceWithLogits = defineLoss({
  kind: 'bce_with_logits',
  summary: 'Sigmoid and binary cross-entropy in one, mean over the batch and the outputs. Takes logits; stays finite.',
  options: noOptions,
  target: 'binary',
  threshold: 0,
  value: ({ kernels, prediction, target }) =>
    kernels.binaryCrossEntropyWithLogits(prediction, target) / prediction.data.length,
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.binaryCrossEntropyWithLogitsBackward(gradPrediction, prediction, target, 1 / prediction.data.length);
  },
});
