import { noOptions } from '../options';
import { defineLayer } from './layer';

/** y = x; dx = dy. */
export const identity = defineLayer({
  kind: 'identity',
  summary: 'y = x: an activation that does nothing.',
  math: {
    forward: String.raw`y = x`,
    input: String.raw`\d{x} = \d{y}`,
  },
  options: noOptions,
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, input, output }) => kernels.copy(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.copy(gradInput, gradOutput);
  },
});
