import { windowIndices } from './convolution-formulas';
import * as z from 'zod/mini';
import { breakTies, argmaxDiffers } from '../kernels/pooling';
import { defineLayer } from './layer';
import {
  validatePadding,
  poolingOptions,
  windowedOutputShape,
  checkWindowedInput,
  windowedReceptiveField,
} from './window-options';

/**
 * y [channels, height', width'] = the maximum of x in each window; dx = dy at the position of the maximum (the first of
 * equal ones).
 */
export const maxPool2d = defineLayer({
  kind: 'max_pool2d',
  question: 'why-pooling',
  aliases: ['max_pool', 'max_pooling', 'max_pooling2d', 'pool'],
  summary:
    'Max pooling: y is the maximum of each window, channel by channel. It has a kink where the maximum changes position.',
  formulas({ options }) {
    const { over, inInput, inOutput } = windowIndices(options);
    const first = `w[c, u, v] = argmax(${over}: x[c, ${inInput}])`;
    return {
      equations: [
        `y[c, u, v] = max(${over}: x[c, ${inInput}])`,
        `dx[c, a, b] = sum(${over}: when(w[c, ${inOutput}] == i * ${options.kernel_size[1]} + j) * dy[c, ${inOutput}]) where ${first}`,
      ],
      symbols: { w: 'the place of the maximum in its window, the first of equal ones' },
    };
  },
  options: z.strictObject(poolingOptions).check(validatePadding),
  checkInput: (input, options) => checkWindowedInput(input, options),
  receptiveField: (options) => windowedReceptiveField(options),
  windows: 'pooling',
  outputShape: (input, options) => windowedOutputShape(input[0]!, input, options),
  forward: ({ kernels, options, input, output }) => kernels.maxPool2d(output, input, options),
  backward({ kernels, options, input, gradOutput, gradInput }) {
    if (gradInput) kernels.maxPool2dBackward(gradInput, gradOutput, input, options);
  },
  crossesKink: (a, b, options) => argmaxDiffers(a, b, options),
  // Farther than a ReLU before it moves values, so that the two do not undo each other.
  avoidKinks: (places, input, distance, side, options) => breakTies(places, input, options, 4 * distance, side === 1),
});
