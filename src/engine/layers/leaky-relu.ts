import * as z from 'zod/mini';
import { nonNegative } from '../options';
import { crossesZero } from './kinks';
import { defineLayer } from './layer';

/** y = x where x > 0, else negative_slope · x; dx = dy where x > 0, else negative_slope · dy (at 0 too, as in PyTorch). */
export const leakyRelu = defineLayer({
  kind: 'leaky_relu',
  summary: 'y = x above 0, negative_slope · x below: unlike relu it never stops passing gradients. Its slope jumps at 0: a kink.',
  math: {
    forward: String.raw`y = \max(0, x) + a \min(0, x)`,
    input: String.raw`\d{x} = \d{y} \odot \big([x > 0] + a \, [x \le 0]\big)`,
  },
  options: z.strictObject({
    negative_slope: z._default(nonNegative('Slope for x below 0.'), 0.01),
  }),
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, 'leaky_relu', options.negative_slope),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'leaky_relu', options.negative_slope);
  },
  crossesKink: (a, b, { negative_slope }) => negative_slope !== 1 && crossesZero(a, b),
});
