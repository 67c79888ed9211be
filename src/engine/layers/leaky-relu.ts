import * as z from 'zod/mini';
import { alias, nonNegativeNumber } from '../option-schemas';
import { crossesZero, defineLayer } from './layer';

/**
 * y = x where x > 0, else negative_slope · x; dx = dy where x > 0, else negative_slope · dy (at 0 too, as in PyTorch).
 */
export const leakyRelu = defineLayer({
  kind: 'leaky_relu',
  aliases: ['lrelu', 'leaky'],
  summary: 'y = x for x > 0, else negative_slope · x: unlike relu, it always passes gradients. It has a kink at 0.',
  formulas: ({ options: { negative_slope } }) => ({
    equations: [
      `y = max(0, x) + ${negative_slope} * min(0, x)`,
      `dx = dy .* (when(x > 0) + ${negative_slope} * when(x <= 0))`,
    ],
  }),
  options: z.strictObject({
    negative_slope: z._default(nonNegativeNumber('Slope for x < 0.').check(alias('alpha', 'slope', 'leak')), 0.01),
  }),
  jacobianStructure: 'elementwise',
  isAffine: ({ negative_slope }) => negative_slope === 1,
  // y = (1 + a)/2 · x + (1 - a)/2 · |x|; the variance of |x| is 1 - 2/π, and |x| is uncorrelated with x.
  nonlinearity({ negative_slope }) {
    const square = (x: number): number => x * x;
    const bent = square((1 - negative_slope) / 2) * (1 - 2 / Math.PI);
    return bent / (bent + square((1 + negative_slope) / 2));
  },
  outputShape: (input) => input,
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, 'leaky_relu', options.negative_slope),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'leaky_relu', options.negative_slope);
  },
  crossesKink: (a, b, { negative_slope }) => negative_slope !== 1 && crossesZero(a, b),
});
