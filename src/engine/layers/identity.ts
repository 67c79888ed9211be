import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** y = x; dx = dy. */
export const identity = defineLayer({
  kind: 'identity',
  aliases: ['none', 'linear_activation', 'passthrough', 'noop'],
  summary: 'y = x.',
  formulas: () => ({
    equations: ['y = x', 'dx = dy'],
  }),
  options: noOptions,
  jacobianStructure: 'elementwise',
  passThrough: true,
  affine: true,
  outputShape: (input) => input,
  forward: ({ kernels, input, output }) => kernels.copy(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.copy(gradInput, gradOutput);
  },
});
