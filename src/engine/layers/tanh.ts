import { noOptions } from '../options';
import { defineLayer } from './layer';

/** y = tanh x; dx = dy (1 - y²). */
export const tanh = defineLayer({
  kind: 'tanh',
  summary: 'y = tanh x, between -1 and 1.',
  math: {
    forward: String.raw`y = \tanh x`,
    input: String.raw`\d{x} = \d{y} \odot (1 - y^2)`,
  },
  options: noOptions,
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, input, output }) => kernels.tanh(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.tanhBackward(gradInput, gradOutput, output);
  },
  idleness: {
    name: 'saturated',
    active: { above: -0.9, below: 0.9 },
    share: 0.5,
    rule: 'A unit is saturated when |tanh| is 0.9 or more on over half of the batch: its slope is then below 0.19.',
  },
});
