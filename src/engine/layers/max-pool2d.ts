import * as z from 'zod/mini';
import { holdWinners, winnersDiffer } from '../kernels/pooling';
import { defineLayer } from './layer';
import { paddingFits, poolingOptions, windowedShape, windowsMisfit, windowsSee } from './windows';

/** y [channels, height', width'] = the largest of x under each window; dx = dy where that one lies (of equal ones the first). */
export const maxPool2d = defineLayer({
  kind: 'max_pool2d',
  summary: 'y = the largest number under each window, channel by channel. Which one that is can change: a kink.',
  math: {
    forward: String.raw`y_{u,v} = \max_{(i,j) \in \text{window}(u,v)} x_{i,j}`,
    input: String.raw`\d{x_{i,j}} = \sum_{(u,v):\, x_{i,j} \text{ won}} \d{y_{u,v}}`,
  },
  options: z.strictObject(poolingOptions).check(paddingFits),
  misfit: (input, options) => windowsMisfit(input, options),
  sees: (options) => windowsSee(options),
  outputShape: (input, options) => windowedShape(input[0], input, options),
  forward: ({ kernels, options, input, output }) => kernels.maxPool2d(output, input, options),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.maxPool2dBackward(gradInput, gradOutput, input, options);
  },
  crossesKink: (a, b, options) => winnersDiffer(a, b, options),
  // More than a ReLU ahead is held off its own kinks, so that the two do not undo each other.
  holdOff: (places, input, distance, side, options) => holdWinners(places, input, options, 4 * distance, side === 1),
});
