import * as z from 'zod/mini';
import { defineLayer } from './layer';
import {
  validatePadding,
  poolingOptions,
  windowedOutputShape,
  checkWindowedInput,
  windowedReceptiveField,
} from './window-options';

/** y [channels, height', width'] = the mean of x in each window; dx distributes dy evenly. */
export const avgPool2d = defineLayer({
  kind: 'avg_pool2d',
  aliases: ['avg_pool', 'average_pooling2d', 'average_pool', 'mean_pool'],
  summary: 'Average pooling: y is the mean of each window, channel by channel.',
  math: {
    forward: String.raw`y_{u,v} = \frac{1}{n} \sum_{(i,j) \in \text{window}(u,v)} x_{i,j}`,
    input: String.raw`\d{x_{i,j}} = \frac{1}{n} \sum_{(u,v) \ni (i,j)} \d{y_{u,v}}`,
  },
  options: z
    .strictObject({
      ...poolingOptions,
      count_include_pad: z._default(
        z.boolean().check(z.describe('Whether the zeros of the padding count in the mean.')),
        true,
      ),
    })
    .check(validatePadding),
  checkInput: (input, options) => checkWindowedInput(input, options),
  receptiveField: (options) => windowedReceptiveField(options),
  windows: 'pooling',
  affine: true,
  outputShape: (input, options) => windowedOutputShape(input[0]!, input, options),
  forward: ({ kernels, options, input, output }) =>
    kernels.avgPool2d(output, input, options, options.count_include_pad),
  backward({ kernels, options, gradOutput, gradInput }) {
    if (gradInput) kernels.avgPool2dBackward(gradInput, gradOutput, options, options.count_include_pad);
  },
});
