import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** y = x σ(x), σ the sigmoid; dx = dy σ(x) (1 + x (1 - σ(x))). Also called swish. */
export const silu = defineLayer({
  kind: 'silu',
  aliases: ['swish'],
  summary: 'y = x · sigmoid(x), also called swish. Smooth; for x < 0, y is between -0.28 and 0.',
  formulas: () => ({
    equations: ['y = x .* sigmoid(x)', 'dx = dy .* sigmoid(x) .* (1 + x .* (1 - sigmoid(x)))'],
  }),
  options: noOptions,
  jacobianStructure: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, input, output }) => kernels.unary(output, input, 'silu', 0),
  backward({ kernels, input, gradOutput, gradInput }) {
    if (gradInput) kernels.unaryBackward(gradInput, gradOutput, input, 'silu', 0);
  },
});
