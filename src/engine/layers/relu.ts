import * as z from 'zod/mini';
import { positive } from '../options';
import { crossesZero } from './kinks';
import { defineLayer } from './layer';

/** y = scale · max(0, x); dx = scale · dy where x > 0, else 0 (the subgradient at 0 is 0, as in PyTorch). */
export const relu = defineLayer({
  kind: 'relu',
  summary: 'y = scale · max(0, x). Its slope jumps at 0: a kink.',
  math: {
    forward: String.raw`y = s \max(0, x)`,
    input: String.raw`\d{x} = s \, \d{y} \odot [x > 0]`,
  },
  options: z.strictObject({
    scale: z._default(positive('Slope for x above 0.'), 1),
  }),
  reach: 'elementwise',
  outputShape: (input) => input,
  forward: ({ kernels, options, input, output }) => kernels.relu(output, input, options.scale),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.reluBackward(gradInput, gradOutput, input, options.scale);
  },
  crossesKink: crossesZero,
  idleness: {
    name: 'dead',
    active: { above: 0, below: Infinity },
    share: 0.9,
    rule: 'A unit is dead when it gives 0 on more than 90 % of the batch: no gradient passes there.',
  },
});
