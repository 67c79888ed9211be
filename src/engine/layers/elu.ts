import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { crossesZero, defineLayer } from './layer';

/**
 * y = x where x > 0, else alpha (exp(x) - 1); dx = dy where x > 0, else alpha exp(x) dy.
 * Source: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by exponential linear units",
 * 2016.
 */
export const elu = defineLayer({
  kind: 'elu',
  aliases: ['exponential_linear_unit'],
  summary:
    'y = x for x > 0, else alpha · (exp(x) - 1), which approaches -alpha. Smooth for alpha = 1; otherwise it has a kink at 0.',
  formulas: ({ options: { alpha } }) => ({
    equations: [
      `y = max(0, x) + ${alpha} * (exp(min(0, x)) - 1)`,
      `dx = dy .* (when(x > 0) + ${alpha} * exp(x) .* when(x <= 0))`,
    ],
  }),
  options: z.strictObject({
    alpha: z._default(positiveNumber('The limit for large negative x is -alpha.'), 1),
  }),
  jacobianStructure: 'elementwise',
  outputShape: (input) => input,
  outputRange: ({ alpha }) => [-alpha, Infinity],
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, 'elu', options.alpha),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'elu', options.alpha);
  },
  crossesKink: (a, b, { alpha }) => alpha !== 1 && crossesZero(a, b),
});
