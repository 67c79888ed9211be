import { numel } from '../kernels/tensor';
import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** y = x as one row of numbers per sample, in row-major order; dx = dy in the shape of x. */
export const flatten = defineLayer({
  kind: 'flatten',
  aliases: ['ravel', 'reshape'],
  summary: 'Flattens each sample to one row of numbers.',
  formulas: () => ({
    equations: ['y = vec(x)', 'dx = reshape(dy)'],
  }),
  options: noOptions,
  outputShape: (input) => [numel(input)],
  receptiveField: () => 'pointwise',
  passThrough: true,
  affine: true,
  forward: ({ kernels, input, output }) => kernels.copy(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.copy(gradInput, gradOutput);
  },
});
