import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_BATCH, reduction } from './reduction';

/** -Σ y log softmax(ŷ), mean over the batch, PyTorch's CrossEntropyLoss; gradient (softmax(ŷ) - y) / batch. */
export const crossEntropy = defineLoss({
  kind: 'cross_entropy',
  summary: 'Softmax and cross-entropy in one: -Σ y·ŷ + log Σ exp ŷ, mean over the batch. Takes logits; stays finite.',
  math: {
    value: String.raw`L = \frac{1}{N} \sum_n \Big(\log \sum_j e^{\hat y_{nj}} - \sum_j y_{nj} \hat y_{nj}\Big)`,
    gradient: String.raw`\d{\hat y} = \tfrac{1}{N} \big(\operatorname{softmax}(\hat y) - y\big)`,
  },
  options: z.strictObject({ reduction: reduction(OVER_BATCH) }),
  target: 'classes',
  threshold: 0,
  value: ({ kernels, options, prediction, target }) =>
    kernels.crossEntropy(prediction, target) / divisor(options, prediction.shape[0]),
  values({ kernels, options, prediction, target }, out) {
    kernels.crossEntropies(out, prediction, target);
    const by = divisor(options, target.shape[0]);
    for (let i = 0; i < out.data.length; i++) out.data[i] /= by;
  },
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    kernels.crossEntropyBackward(gradPrediction, prediction, target, 1 / divisor(options, prediction.shape[0]));
  },
});
