import { noOptions } from '../option-schemas';
import { defineLayer } from './layer';

/** y = 1 / (1 + exp(-x)); dx = dy y (1 - y). */
export const sigmoid = defineLayer({
  kind: 'sigmoid',
  question: 'sigmoid-derivative',
  aliases: ['logistic', 'logsig'],
  summary: 'y = 1 / (1 + exp(-x)), between 0 and 1.',
  formulas: () => ({
    equations: ['y = sigmoid(x)', 'dx = dy .* y .* (1 - y)'],
  }),
  options: noOptions,
  jacobianStructure: 'elementwise',
  outputShape: (input) => input,
  outputRange: () => [0, 1],
  outputMeaning: 'probability',
  forward: ({ kernels, input, output }) => kernels.sigmoid(output, input),
  backward({ kernels, output, gradOutput, gradInput }) {
    if (gradInput) kernels.sigmoidBackward(gradInput, gradOutput, output);
  },
  idleness: {
    name: 'saturated',
    active: { above: 0.1, below: 0.9 },
    threshold: 0.5,
    rule: 'A unit is saturated if its output is at most 0.1 or at least 0.9 on over half of the batch: its slope is then below 0.09.',
  },
});
