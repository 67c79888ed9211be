// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a simple way to prevent neural networks from
// overfitting", 2014; scaled while training, as in PyTorch.
import * as z from 'zod/mini';
import { alias } from '../option-schemas';
import { defineLayer } from './layer';

/** Training: y = m x, where m is 0 with probability p and 1/(1-p) otherwise; dx = m dy. Evaluation: y = x. */
export const dropout = defineLayer({
  kind: 'dropout',
  question: 'dropout-modes',
  summary:
    'In training, y is 0 with probability p and x / (1 - p) otherwise, drawn at every step. In evaluation, y = x.',
  formulas: ({ options: { p } }) => ({
    equations: ['y = m .* x', 'dx = m .* dy'],
    symbols: { m: `drawn in each step: 0 with probability ${p}, else ${Number((1 / (1 - p)).toPrecision(4))}` },
  }),
  options: z.strictObject({
    p: z._default(
      z
        .number()
        .check(
          z.gte(0),
          z.lt(1),
          z.describe('Probability that a value is set to 0.'),
          alias('rate', 'prob', 'probability', 'drop'),
        ),
      0.5,
    ),
  }),
  modes: ({ p }) => ({
    training: `sets values to 0 with probability ${p} and scales the others by ${Number((1 / (1 - p)).toPrecision(4))}`,
    evaluation: 'passes all values on unchanged',
  }),
  outputShape: (input) => input,
  receptiveField: () => 'pointwise',
  affine: true,
  dropRate: ({ p }) => p,
  sampleMask({ data }, random, { p }) {
    const scale = 1 / (1 - p);
    for (let i = 0; i < data.length; i++) data[i] = random.uniform() < p ? 0 : scale;
  },
  forward({ kernels, input, output, mask }) {
    if (mask) kernels.multiply(output, input, mask);
    else kernels.copy(output, input);
  },
  backward({ kernels, gradOutput, gradInput, mask }) {
    if (!gradInput) return;
    if (mask) kernels.multiply(gradInput, gradOutput, mask);
    else kernels.copy(gradInput, gradOutput);
  },
});
