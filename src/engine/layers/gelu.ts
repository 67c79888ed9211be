import * as z from 'zod/mini';
import type { UnaryKind } from '../kernels/unary-functions';
import { defineLayer } from './layer';

const unaryFunction = ({ approximate }: { approximate: 'none' | 'tanh' }): UnaryKind =>
  approximate === 'tanh' ? 'gelu_tanh' : 'gelu';

/**
 * y = x Φ(x), Φ the standard normal distribution; dx = dy (Φ(x) + x φ(x)). With tanh: x/2 (1 + tanh(√(2/π) (x +
 * 0.044715 x³))). Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
 */
export const gelu = defineLayer({
  kind: 'gelu',
  aliases: ['gaussian_error_linear_unit'],
  summary:
    'y = x · Φ(x), where Φ is the standard normal distribution function. Smooth; for x < 0, y is between -0.17 and 0.',
  formulas: ({ options: { approximate } }) => ({
    equations:
      approximate === 'none'
        ? ['y = x .* Phi(x)', 'dx = dy .* (Phi(x) + x .* phi(x))']
        : [
            'y = x .* (1 + t) / 2 where t = tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))',
            'dx = dy .* ((1 + t) / 2 + sqrt(2 / pi) * x .* (1 - t^2) .* (1 + 0.134145 * x^2) / 2) ' +
              'where t = tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))',
          ],
  }),
  options: z.strictObject({
    approximate: z._default(
      z
        .enum(['none', 'tanh'])
        .check(
          z.describe('`tanh` approximates Φ by ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), with an error below 0.0005.'),
        ),
      'none',
    ),
  }),
  jacobianStructure: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, options, input, output }) => kernels.unary(output, input, unaryFunction(options), 0),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, unaryFunction(options), 0);
  },
});
