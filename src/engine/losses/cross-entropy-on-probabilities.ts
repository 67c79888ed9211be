import { noOptions } from '../options';
import { defineLoss } from './loss';

/** -Σ y log p, mean over the batch; gradient -y / p / batch. Not clipped: log 0 is infinite and shown as such. */
export const crossEntropyOnProbabilities = defineLoss({
  kind: 'cross_entropy_on_probabilities',
  summary: '-Σ y log p, mean over the batch. Takes probabilities, from a softmax layer; infinite where p reaches 0.',
  math: {
    value: String.raw`L = -\frac{1}{N} \sum_n \sum_j y_{nj} \log p_{nj}`,
    gradient: String.raw`\d{p} = -\tfrac{1}{N} \, \frac{y}{p}`,
  },
  options: noOptions,
  target: 'classes',
  threshold: 0.5,
  value: ({ kernels, prediction, target }) => kernels.negativeLogLikelihood(prediction, target) / prediction.shape[0],
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.negativeLogLikelihoodBackward(gradPrediction, prediction, target, 1 / prediction.shape[0]);
  },
});
