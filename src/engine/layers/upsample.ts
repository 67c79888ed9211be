import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { NEEDS_IMAGES, sizePair } from './window-options';

/** y[c, i, j] = x[c, i / scale, j / scale], rounded down; dx sums dy over the copies. */
export const upsample = defineLayer({
  kind: 'upsample',
  aliases: ['upsampling2d', 'upsample_nearest', 'upsampling_nearest2d', 'interpolate', 'unpool'],
  summary: 'Nearest-neighbor upsampling: each pixel is repeated `scale_factor` times in both directions.',
  formulas: ({
    options: {
      scale_factor: [down, right],
    },
  }) => ({
    equations: [
      `y[c, i, j] = x[c, floor(i / ${down}), floor(j / ${right})]`,
      `dx[c, u, v] = sum(i < ${down}, j < ${right}: dy[c, u * ${down} + i, v * ${right} + j])`,
    ],
  }),
  options: z.strictObject({
    scale_factor: z.prefault(sizePair(1, 'How often each pixel is repeated.', 'scale', 'factor', 'size'), 2),
  }),
  checkInput: (input) => (input.length === 3 ? undefined : NEEDS_IMAGES),
  outputShape: ([channels, height, width], { scale_factor: [down, right] }) => [
    channels!,
    height! * down,
    width! * right,
  ],
  receptiveField: ({ scale_factor }) => scale_factor.map((scale) => ({ size: 1, stride: 1 / scale })),
  affine: true,
  forward: ({ kernels, input, output }) => kernels.upsampleNearest2d(output, input),
  backward({ kernels, gradOutput, gradInput }) {
    if (gradInput) kernels.upsampleNearest2dBackward(gradInput, gradOutput);
  },
});
