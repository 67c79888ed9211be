import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { paddingFits, poolingOptions, windowedShape, windowsMisfit, windowsSee } from './windows';

/** y [channels, height', width'] = the mean of x under each window; dx = dy shared out evenly. */
export const avgPool2d = defineLayer({
  kind: 'avg_pool2d',
  summary: 'y = the mean of the numbers under each window, channel by channel.',
  math: {
    forward: String.raw`y_{u,v} = \frac{1}{n} \sum_{(i,j) \in \text{window}(u,v)} x_{i,j}`,
    input: String.raw`\d{x_{i,j}} = \frac{1}{n} \sum_{(u,v) \ni (i,j)} \d{y_{u,v}}`,
  },
  options: z
    .strictObject({
      ...poolingOptions,
      count_include_pad: z._default(z.boolean().check(z.describe("Whether the padding's zeros count in a mean.")), true),
    })
    .check(paddingFits),
  misfit: (input, options) => windowsMisfit(input, options),
  sees: (options) => windowsSee(options),
  outputShape: (input, options) => windowedShape(input[0], input, options),
  forward: ({ kernels, options, input, output }) => kernels.avgPool2d(output, input, options, options.count_include_pad),
  backward({ kernels, options, gradOutput, gradInput }) {
    if (gradInput) kernels.avgPool2dBackward(gradInput, gradOutput, options, options.count_include_pad);
  },
});
