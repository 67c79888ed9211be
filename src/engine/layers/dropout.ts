// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a simple way to prevent neural networks from
// overfitting", 2014; scaled while training, as in PyTorch.
import * as z from 'zod/mini';
import { defineLayer } from './layer';

/** Training: y = m x, m is 0 with probability p and 1/(1-p) otherwise; dx = m dy. Evaluated: y = x. */
export const dropout = defineLayer({
  kind: 'dropout',
  summary: 'While training, y = 0 with probability p and x / (1 - p) otherwise, drawn anew each step; evaluated, y = x.',
  math: {
    forward: String.raw`y = m \odot x, \quad m_i = 0 \text{ with probability } p, \text{ else } \tfrac{1}{1-p}`,
    input: String.raw`\d{x} = m \odot \d{y}`,
  },
  options: z.strictObject({
    p: z._default(z.number().check(z.gte(0), z.lt(1), z.describe('Probability that a value is set to 0.')), 0.5),
  }),
  modes: ({ p }) => ({ training: `sets values to 0 with probability ${p} and scales the others by ${Number((1 / (1 - p)).toPrecision(4))}`, evaluation: 'passes every value on' }),
  outputShape: (input) => input,
  sees: () => 'place',
  draw({ data }, random, { p }) {
    const kept = 1 / (1 - p);
    for (let i = 0; i < data.length; i++) data[i] = random.uniform() < p ? 0 : kept;
  },
  forward({ kernels, input, output, drawn }) {
    if (drawn) kernels.multiply(output, input, drawn);
    else kernels.copy(output, input);
  },
  backward({ kernels, gradOutput, gradInput, drawn }) {
    if (!gradInput) return;
    if (drawn) kernels.multiply(gradInput, gradOutput, drawn);
    else kernels.copy(gradInput, gradOutput);
  },
});
