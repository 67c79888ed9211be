import { convolutionFormulas } from './convolution-formulas';
import * as z from 'zod/mini';
import { pluralize } from '../format-count';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { cached } from '../kernels/cached';
import { numel, type Shape, type Shape2, type Shape3, type Tensor } from '../kernels/tensor';
import { im2colShape, outputSize, type WindowOptions, windowSpan } from '../kernels/windows';
import { alias, positiveInteger } from '../option-schemas';
import { checkGroups, groupsOption, validateGroups } from './groups';
import { defineLayer } from './layer';

const options = z
  .strictObject({
    out_channels: positiveInteger('Number of output channels.').check(
      alias('filters', 'channels', 'output_channels', 'out_features'),
    ),
    in_channels: z.optional(
      positiveInteger("Number of input channels. By default, that of the previous layer's output.").check(
        alias('input_channels'),
      ),
    ),
    kernel_size: positiveInteger('Size of the window.').check(alias('kernel', 'filter_size', 'window')),
    stride: z._default(positiveInteger('Distance from one window to the next.').check(alias('strides')), 1),
    padding: z._default(z.int().check(z.gte(0), z.describe('Zeros added at both ends.'), alias('pad')), 0),
    dilation: z._default(
      positiveInteger('Distance between the positions of a window.').check(alias('dilation_rate')),
      1,
    ),
    groups: groupsOption,
    bias: z._default(z.boolean().check(z.describe('Whether to add a bias.'), alias('use_bias', 'biases')), true),
    init: z._default(initializerOption('Initializer of the weights.', WEIGHT_INIT_ALIASES), { type: 'fan_in_uniform' }),
    bias_init: z._default(initializerOption('Initializer of the biases.', BIAS_INIT_ALIASES), {
      type: 'fan_in_uniform',
    }),
  })
  .check(validateGroups);

type Options = z.output<typeof options>;

/** The same windows over images with one row. */
const windowsOf = cached(({ kernel_size, stride, padding, dilation, groups }: Options): WindowOptions => ({
  kernel_size: [1, kernel_size],
  stride: [1, stride],
  padding: [0, padding],
  dilation: [1, dilation],
  groups,
}));

/** [.., channels, length] as images with one row. */
const asImages = cached(({ shape, data }: Tensor): Tensor => {
  const [outer, channels, length] = shape as Shape3;
  return { shape: [outer, channels, 1, length], data };
});

const imageOf = ([channels, length]: Shape): Shape => [channels!, 1, length!];

/**
 * y[o] = b[o] + Σ W[o] · x over channels and window, at every position of the window, as in PyTorch.
 * x [in, length], W [out, in / groups, kernel_size], y [out, (length + 2 padding - span) / stride + 1 rounded down].
 */
export const conv1d = defineLayer({
  kind: 'conv1d',
  aliases: ['convolution1d', 'temporal_convolution'],
  summary:
    'A 1D convolution over channels × length: y = b + Σ W · x over a window of all channels, with the same weights at every position.',
  formulas: ({ options: layer, shapes: [input] }) =>
    convolutionFormulas({
      ...layer,
      inputs: input![0]!,
      outputs: layer.out_channels,
      stride: [layer.stride],
      padding: [layer.padding],
      dilation: [layer.dilation],
    }),
  options,
  positionsAs: 'sequence',
  checkInput(input, layer) {
    if (input.length !== 2) {
      return {
        requirement: 'needs channels × length',
        remedy: 'Use data with two axes, and put this layer before any "flatten".',
      };
    }
    const [channels, length] = input as Shape2;
    if (layer.in_channels !== undefined && layer.in_channels !== channels) {
      return {
        requirement: `expects ${pluralize(layer.in_channels, 'channel')}`,
        remedy: 'Omit "in_channels", or correct it.',
        option: 'in_channels',
      };
    }
    const windows = windowsOf(layer);
    if (outputSize(1, length, windows)[1] >= 1) return checkGroups(channels, layer.groups);
    return {
      requirement: `has windows over ${windowSpan(windows)[1]} positions and needs a length of at least ${Math.max(1, windowSpan(windows)[1] - 2 * layer.padding)}`,
      remedy: 'Choose a smaller "kernel_size" or more "padding".',
      option: 'kernel_size',
    };
  },
  outputShape: ([, length], layer) => [layer.out_channels, outputSize(1, length!, windowsOf(layer))[1]],
  parameters([channels], { out_channels, groups, kernel_size, bias, init, bias_init }) {
    return [
      { name: 'weight', shape: [out_channels, channels! / groups, kernel_size], init: { initializer: init } },
      ...(bias ? [{ name: 'bias', shape: [out_channels], init: { initializer: bias_init } }] : []),
    ];
  },
  macs: ([channels], output, { kernel_size, groups }) => (numel(output) * channels! * kernel_size) / groups,
  receptiveField: (layer) => [{ size: windowSpan(windowsOf(layer))[1], stride: layer.stride }],
  affine: true,
  workspace: (input, layer) => [im2colShape(imageOf(input), windowsOf(layer))],
  forward({ kernels, options: layer, parameters: { weight, bias }, input, output, workspace }) {
    kernels.conv2d(asImages(output), asImages(input), asImages(weight!), bias ?? null, windowsOf(layer), workspace[0]!);
  },
  backward({
    kernels,
    options: layer,
    parameters: { weight },
    gradParameters,
    input,
    gradOutput,
    gradInput,
    workspace,
  }) {
    const windows = windowsOf(layer);
    kernels.conv2dBackwardWeight(
      asImages(gradParameters.weight!),
      gradParameters.bias ?? null,
      asImages(gradOutput),
      asImages(input),
      windows,
      workspace[0]!,
    );
    if (gradInput)
      kernels.conv2dBackwardInput(asImages(gradInput), asImages(gradOutput), asImages(weight!), windows, workspace[0]!);
  },
});
