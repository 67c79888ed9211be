import * as z from 'zod/mini';
import { positive } from '../options';
import { defineLayer } from './layer';

/** y = log(1 + exp(beta x)) / beta; dx = dy σ(beta x). Exact everywhere: PyTorch takes x itself where beta x > 20. */
export const softplus = defineLayer({
  kind: 'softplus',
  summary: 'y = log(1 + exp(beta · x)) / beta: a smooth relu, always above 0. Its slope is sigmoid(beta · x).',
  math: {
    forward: String.raw`y = \tfrac{1}{\beta} \log(1 + e^{\beta x})`,
    input: String.raw`\d{x} = \d{y} \odot \sigma(\beta x)`,
  },
  options: z.strictObject({
    beta: z._default(positive('How sharp the bend at 0 is; the larger, the nearer to relu.'), 1),
  }),
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, 'softplus', options.beta),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'softplus', options.beta);
  },
});
