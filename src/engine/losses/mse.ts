import { noOptions } from '../options';
import { defineLoss } from './loss';

/** mean over batch and outputs of (ŷ - y)², PyTorch's MSELoss; gradient 2 (ŷ - y) / (batch · outputs). */
export const mse = defineLoss({
  kind: 'mse',
  summary: 'Mean squared error: the mean of (ŷ - y)² over the batch and the outputs.',
  options: noOptions,
  target: 'values',
  threshold: 0.5,
  value: ({ kernels, prediction, target }) => kernels.squaredError(prediction, target) / prediction.data.length,
  gradient({ kernels, prediction, target }, gradPrediction) {
    kernels.squaredErrorBackward(gradPrediction, prediction, target, 1 / prediction.data.length);
  },
});
