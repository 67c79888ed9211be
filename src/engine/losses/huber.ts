import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLoss } from './loss';
import { divisor, OVER_ALL, reduction } from './reduction';

/**
 * Mean over batch and outputs of ½ d² where |d| ≤ delta, else delta (|d| - ½ delta), d = ŷ - y: PyTorch's HuberLoss;
 * gradient d held within ±delta, / (batch · outputs).
 * Source: Huber, "Robust estimation of a location parameter", 1964.
 */
export const huber = defineLoss({
  kind: 'huber',
  summary: 'Half the squared error up to a distance of delta, straight beyond: outliers pull no harder than delta. Mean over the batch and the outputs.',
  math: {
    value: String.raw`L = \operatorname{mean} \begin{cases} \tfrac12 r^2 & \lvert r \rvert \le \delta \\ \delta (\lvert r \rvert - \tfrac12 \delta) & \text{else} \end{cases}, \quad r = \hat y - y`,
    gradient: String.raw`\d{\hat y} = \tfrac{1}{NK} \max(-\delta, \min(\delta, r))`,
  },
  options: z.strictObject({
    delta: z._default(positive('The distance at which the square gives way to a straight line.'), 1),
    reduction: reduction(OVER_ALL),
  }),
  target: 'values',
  threshold: 0.5,
  value: ({ kernels, options, prediction, target }) =>
    kernels.pointwiseLoss(prediction, target, 'huber', options.delta) / divisor(options, prediction.data.length),
  gradient({ kernels, options, prediction, target }, gradPrediction) {
    const scale = 1 / divisor(options, prediction.data.length);
    kernels.pointwiseLossBackward(gradPrediction, prediction, target, 'huber', options.delta, scale);
  },
  seam: (prediction, target, i, { delta }) => Math.abs(prediction[i] - target.data[i]) - delta,
});
