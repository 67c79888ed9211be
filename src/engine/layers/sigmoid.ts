import { noOptions } from '../options';
import { defineLayer } from './layer';

/** y = 1 / (1 + exp(-x)); dx = dy y (1 - y). */
export const sigmoid = defineLayer({
  kind: 'sigmoid',
  summary: 'y = 1 / (1 + exp(-x)), between 0 and 1.',
  math: {
    forward: String.raw`y = \sigma(x) = \frac{1}{1 + e^{-x}}`,
    input: String.raw`\d{x} = \d{y} \odot y (1 - y)`,
  },
  options: noOptions,
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, input, output }) => kernels.sigmoid(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.sigmoidBackward(gradInput, gradOutput, output);
  },
  idleness: {
    name: 'saturated',
    active: { above: 0.1, below: 0.9 },
    share: 0.5,
    rule: 'A unit is saturated when its output is 0.1 or less, or 0.9 or more, on over half of the batch: its slope is then below 0.09.',
  },
});
