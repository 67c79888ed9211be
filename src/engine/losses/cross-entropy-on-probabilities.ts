import { noOptions } from '../option-schemas';
import { defineLoss } from './loss';

/** -Σ y log p, mean over the batch; gradient -y / p / batch. Not clipped: at p = 0 the loss is infinite. */
export const crossEntropyOnProbabilities = defineLoss({
  kind: 'cross_entropy_on_probabilities',
  questions: { value: 'first-loss', gradient: 'fused-loss' },
  summary:
    'Cross-entropy of probabilities: -Σ y log p, the mean over the batch. Takes the output of a softmax layer; infinite at p = 0.',
  formulas: () => ({
    equations: ['l = -total(xlogy(y, yhat)) / N', 'd(yhat) = -y / yhat / N', 'd(y) = -log(yhat) / N'],
  }),
  options: noOptions,
  takes: 'distribution',
  activation: { layer: 'softmax', counterpart: 'cross_entropy' },
  target: 'classes',
  threshold: 0.5,
  value: ({ kernels, prediction, target }) => kernels.negativeLogLikelihood(prediction, target) / prediction.shape[0]!,
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.negativeLogLikelihoodBackward(gradPrediction, prediction, target, 1 / prediction.shape[0]!);
  },
});
