import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** y = tanh x; dx = dy (1 - y²). */
export const tanh = defineLayer({
  kind: 'tanh',
  question: 'activations-and-depth',
  aliases: ['hyperbolic_tangent', 'tansig'],
  summary: 'y = tanh x, between -1 and 1.',
  formulas: () => ({
    equations: ['y = tanh(x)', 'dx = dy .* (1 - y^2)'],
  }),
  options: noOptions,
  jacobianStructure: 'elementwise',
  outputShape: (input) => input,
  outputRange: () => [-1, 1],
  forward: ({ kernels, input, output }) => kernels.tanh(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.tanhBackward(gradInput, gradOutput, output);
  },
  idleness: {
    name: 'saturated',
    active: { above: -0.9, below: 0.9 },
    threshold: 0.5,
    rule: 'A unit is saturated if |tanh x| is at least 0.9 on over half of the batch: its slope is then at most 0.19.',
  },
});
