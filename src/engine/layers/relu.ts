import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { crossesZero, defineLayer } from './layer';

/** y = scale · max(0, x); dx = scale · dy where x > 0, else 0 (the subgradient at 0 is 0, as in PyTorch). */
export const relu = defineLayer({
  kind: 'relu',
  question: 'dead-units',
  aliases: ['rectifier', 'rectified_linear', 'rectified_linear_unit'],
  summary: 'y = scale · max(0, x). It has a kink at 0.',
  formulas: ({ options: { scale } }) => ({
    equations: [`y = ${scale} * max(0, x)`, `dx = ${scale} * dy .* when(x > 0)`],
  }),
  options: z.strictObject({
    scale: z._default(positiveNumber('Slope for x > 0.'), 1),
  }),
  jacobianStructure: 'elementwise',
  scaledBy: ({ scale }) => ({ option: 'scale', value: scale }),
  outputShape: (input) => input,
  outputRange: () => [0, Infinity],
  forward: ({ kernels, options, input, output }) => kernels.relu(output, input, options.scale),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.reluBackward(gradInput, gradOutput, input, options.scale);
  },
  crossesKink: crossesZero,
  idleness: {
    name: 'dead',
    active: { above: 0, below: Infinity },
    threshold: 0.9,
    rule: 'A unit is dead if its output is 0 on more than 90 % of the batch: no gradient passes there.',
  },
});
