import { sizeOf } from '../kernels/tensor';
import { noOptions } from '../options';
import { defineLayer } from './layer';

/** y = x as one row of numbers a sample, in row-major order; dx = dy in the shape of x. */
export const flatten = defineLayer({
  kind: 'flatten',
  summary: 'y = x, each sample as one row of numbers.',
  math: {
    forward: String.raw`y = \operatorname{vec}(x)`,
    input: String.raw`\d{x} = \operatorname{vec}^{-1}\!\Big(\d{y}\Big)`,
  },
  options: noOptions,
  outputShape: (input) => [sizeOf(input)],
  sees: () => 'place',
  forward: ({ kernels, input, output }) => kernels.copy(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.copy(gradInput, gradOutput);
  },
});
