import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { NEEDS_IMAGES, sizePair } from './window-options';

/** y [channels, …output_size] = the mean of x in windows that divide the image evenly; dx distributes dy evenly. */
export const adaptiveAvgPool2d = defineLayer({
  kind: 'adaptive_avg_pool2d',
  aliases: ['global_avg_pool2d', 'global_average_pooling2d', 'global_avg_pool', 'adaptive_average_pooling2d', 'gap'],
  summary:
    'Average pooling to a given size, channel by channel. By default, y is the mean of each whole channel (global average pooling).',
  formulas({ options: { output_size }, shapes: [input] }) {
    const [top, left] = output_size.map((n, axis) => `floor(${'uv'[axis]} * ${input![axis + 1]} / ${n})`);
    const [bottom, right] = output_size.map((n, axis) => `ceil((${'uv'[axis]} + 1) * ${input![axis + 1]} / ${n})`);
    const count = `((${bottom} - ${top}) * (${right} - ${left}))`;
    return {
      equations: [
        `y[c, u, v] = total(x[c, ${top}:${bottom}, ${left}:${right}]) / ${count}`,
        `dx[c, i, j] = sum(u, v: when(${top} <= i) * when(i < ${bottom}) * when(${left} <= j) * when(j < ${right}) * ` +
          `dy[c, u, v] / ${count})`,
      ],
    };
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
