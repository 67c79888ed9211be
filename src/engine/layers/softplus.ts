import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineLayer } from './layer';

/** y = log(1 + exp(beta x)) / beta; dx = dy σ(beta x). Exact everywhere; PyTorch uses x itself for beta x > 20. */
export const softplus = defineLayer({
  kind: 'softplus',
  aliases: ['smooth_relu'],
  summary: 'y = log(1 + exp(beta · x)) / beta: a smooth relu, always positive. Its slope is sigmoid(beta · x).',
  formulas: ({ options: { beta } }) => ({
    equations: [`y = log(1 + exp(${beta} * x)) / ${beta}`, `dx = dy .* sigmoid(${beta} * x)`],
  }),
  options: z.strictObject({
    beta: z._default(positiveNumber('Sharpness of the bend at 0. Larger values are closer to relu.'), 1),
  }),
  jacobianStructure: 'elementwise',
  // Near 0: log 2/β + x/2 + β x²/8. The last two terms have the variances 1/4 and β²/32, whose ratio bounds the share.
  // For large β it is that of relu.
  nonlinearity: ({ beta }) => Math.min((beta * beta) / 8, 0.27),
  outputShape: (input) => input,
  outputRange: () => [0, Infinity],
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, 'softplus', options.beta),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'softplus', options.beta);
  },
});
