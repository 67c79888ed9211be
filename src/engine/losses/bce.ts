import { noOptions } from '../options';
import { defineLoss } from './loss';

/** Mean over batch and outputs of -[y log p + (1-y) log(1-p)], logarithms held at -100: PyTorch's BCELoss. */
export const bce = defineLoss({
  kind: 'bce',
  summary: 'Binary cross-entropy on probabilities: the mean of -[y log p + (1-y) log(1-p)]. Takes the output of a sigmoid.',
  options: noOptions,
  target: 'binary',
  threshold: 0.5,
  value: ({ kernels, prediction, target }) => kernels.binaryCrossEntropy(prediction, target) / prediction.data.length,
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.binaryCrossEntropyBackward(gradPrediction, prediction, target, 1 / prediction.data.length);
  },
});
