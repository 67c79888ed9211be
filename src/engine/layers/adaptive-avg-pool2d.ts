import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { NEEDS_IMAGES, sizePair } from './window-options';

/** y [channels, …output_size] = the mean of x in windows that divide the image evenly; dx distributes dy evenly. */
export const adaptiveAvgPool2d = defineLayer({
  kind: 'adaptive_avg_pool2d',
  aliases: ['global_avg_pool2d', 'global_average_pooling2d', 'global_avg_pool', 'adaptive_average_pooling2d', 'gap'],
  summary:
    'Average pooling to a given size, channel by channel. By default, y is the mean of each whole channel (global average pooling).',
  math: {
    forward: String.raw`y_{u,v} = \frac{1}{n_{u,v}} \sum_{(i,j) \in \text{window}(u,v)} x_{i,j}`,
    input: String.raw`\d{x_{i,j}} = \sum_{(u,v) \ni (i,j)} \frac{1}{n_{u,v}} \d{y_{u,v}}`,
  },
  options: z.strictObject({
    output_size: z.prefault(sizePair(1, 'Size of the output: the number of windows.', 'size', 'target_size'), 1),
  }),
  checkInput: (input) => (input.length === 3 ? undefined : NEEDS_IMAGES),
  outputShape: ([channels], { output_size }) => [channels!, ...output_size],
  affine: true,
  forward: ({ kernels, input, output }) => kernels.adaptiveAvgPool2d(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.adaptiveAvgPool2dBackward(gradInput, gradOutput);
  },
});
