import { numel } from '../kernels/tensor';
import { windowIndices } from './convolution-formulas';
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
  question: 'max-or-average',
  aliases: ['avg_pool', 'average_pooling2d', 'average_pool', 'mean_pool'],
  summary: 'Average pooling: y is the mean of each window, channel by channel.',
  formulas({ options, shapes: [input] }) {
    const { over, inInput, inOutput } = windowIndices(options);
    if (options.count_include_pad)
      return {
        equations: [
          `y[c, u, v] = mean(${over}: x[c, ${inInput}])`,
          `dx[c, a, b] = sum(${over}: dy[c, ${inOutput}]) / ${numel(options.kernel_size)}`,
        ],
      };
    const [rows, columns] = inInput.split(', ');
    const inside = [rows, columns]
      .map((at, axis) => `when(${at} >= 0) * when(${at} < ${input![axis + 1]})`)
      .join(' * ');
    const count = `n[u, v] = sum(${over}: ${inside})`;
    return {
      equations: [
        `y[c, u, v] = sum(${over}: x[c, ${inInput}]) / n[u, v] where ${count}`,
        `dx[c, a, b] = sum(${over}: g[c, ${inOutput}]) where g[c, u, v] = dy[c, u, v] / n[u, v]; ${count}`,
      ],
    };
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
