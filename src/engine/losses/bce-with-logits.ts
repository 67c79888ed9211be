import * as z from 'zod/mini';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction } from './reduction';

/** Mean over batch and outputs of log(1 + exp(x)) - x y, PyTorch's BCEWithLogitsLoss; gradient (σ(x) - y) / n. */
export const bceWithLogits = defineLoss({
  kind: 'bce_with_logits',
  aliases: ['binary_cross_entropy_with_logits', 'sigmoid_cross_entropy', 'sigmoid_cross_entropy_with_logits'],
  summary:
    'Sigmoid and binary cross-entropy combined, the mean over the batch and the outputs. Takes logits; always finite.',
  math: {
    value: String.raw`L = \operatorname{mean} \big[\log(1 + e^{z}) - y z\big]`,
    gradient: String.raw`\d{z} = \tfrac{1}{NK} \big(\sigma(z) - y\big)`,
  },
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
