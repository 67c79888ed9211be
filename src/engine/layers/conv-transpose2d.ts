import { transposedConvolutionFormulas } from './convolution-formulas';
import * as z from 'zod/mini';
import { pluralize } from '../format-count';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { formatShape, numel, type Shape, type Shape3 } from '../kernels/tensor';
import { im2colShape, type Pair, strideOf, windowSpan } from '../kernels/windows';
import { alias, positiveInteger } from '../option-schemas';
import { checkGroups, groupsOption, validateGroups } from './groups';
import { defineLayer } from './layer';
import { convolutionOptions, dilationOption, NEEDS_IMAGES, sizePair } from './window-options';

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
    ...convolutionOptions,
    output_padding: z.prefault(
      sizePair(0, 'Rows and columns added to one side of the output, less than the stride.', 'out_padding'),
      0,
    ),
    dilation: dilationOption,
    groups: groupsOption,
    bias: z._default(z.boolean().check(z.describe('Whether to add a bias.'), alias('use_bias', 'biases')), true),
    init: z._default(initializerOption('Initializer of the weights.', WEIGHT_INIT_ALIASES), { type: 'fan_in_uniform' }),
    bias_init: z._default(initializerOption('Initializer of the biases.', BIAS_INIT_ALIASES), {
      type: 'fan_in_uniform',
    }),
  })
  .check(validateGroups)
  .check(
    z.superRefine(({ output_padding, stride }, context) => {
      if (output_padding.every((size, axis) => size < stride[axis]!)) return;
      context.addIssue({
        code: 'custom',
        path: ['output_padding'],
        input: output_padding,
        message: `An output padding of ${formatShape(output_padding)} is not less than the stride ${formatShape(stride)}.`,
        params: { code: 'too-much-padding', remedy: 'Choose less, or a larger stride.' },
      });
    }),
  );

type Options = z.output<typeof options>;

/** Height and width of the output. */
function sizeOf([, height, width]: Shape, layer: Options): Pair {
  const [stride, span] = [strideOf(layer), windowSpan(layer)];
  const along = (axis: 0 | 1, size: number): number =>
    (size - 1) * stride[axis] - 2 * layer.padding[axis] + span[axis] + layer.output_padding[axis];
  return [along(0, height!), along(1, width!)];
}

const outputOf = (input: Shape, layer: Options): Shape => [layer.out_channels, ...sizeOf(input, layer)];

/**
 * The transpose of a convolution, as in PyTorch: each x[c] adds W[c] · x to a window of y. The convolution whose input
 * gradient this is has its input and output swapped. x [in, height, width], W [in, out / groups, …kernel_size], y [out,
 * (height - 1) stride - 2 padding + span + output_padding, …].
 */
export const convTranspose2d = defineLayer({
  kind: 'conv_transpose2d',
  aliases: ['transposed_convolution', 'conv2d_transpose', 'deconvolution', 'deconv', 'convtranspose2d'],
  summary:
    'A transposed 2D convolution: each input adds its weights times itself to a window of the output. With a stride above 1, it enlarges images.',
  formulas: ({ options: layer, shapes: [input] }) =>
    transposedConvolutionFormulas({ ...layer, inputs: input![0]!, outputs: layer.out_channels }),
  options,
  checkInput(input, layer) {
    if (input.length !== 3) return NEEDS_IMAGES;
    const [channels] = input as Shape3;
    if (layer.in_channels !== undefined && layer.in_channels !== channels) {
      return {
        requirement: `expects ${pluralize(layer.in_channels, 'channel')}`,
        remedy: 'Omit "in_channels", or correct it.',
        option: 'in_channels',
      };
    }
    if (sizeOf(input, layer).every((size) => size >= 1)) return checkGroups(channels, layer.groups);
    return {
      requirement: `has an output of ${formatShape(sizeOf(input, layer).map((size) => Math.max(0, size)))} for this input`,
      remedy: 'Choose less "padding" or a larger "kernel_size".',
      option: 'padding',
    };
  },
  outputShape: outputOf,
  parameters([channels], { out_channels, groups, kernel_size, bias, init, bias_init }) {
    return [
      { name: 'weight', shape: [channels!, out_channels / groups, ...kernel_size], init: { initializer: init } },
      ...(bias ? [{ name: 'bias', shape: [out_channels], init: { initializer: bias_init } }] : []),
    ];
  },
  macs: (input, _output, { out_channels, kernel_size, groups }) =>
    (numel(input) * out_channels * numel(kernel_size)) / groups,
  receptiveField: (layer) =>
    windowSpan(layer).map((size, axis) => {
      const stride = strideOf(layer)[axis]!;
      return { size: Math.ceil(size / stride), stride: 1 / stride };
    }),
  affine: true,
  workspace: (input, layer) => [im2colShape(outputOf(input, layer), layer)],
  forward({ kernels, options: windows, parameters: { weight, bias }, input, output, workspace }) {
    kernels.conv2dBackwardInput(output, input, weight!, windows, workspace[0]!);
    if (bias) kernels.addChannels(output, bias);
  },
  backward({
    kernels,
    options: windows,
    parameters: { weight },
    gradParameters,
    input,
    gradOutput,
    gradInput,
    workspace,
  }) {
    kernels.conv2dBackwardWeight(gradParameters.weight!, null, input, gradOutput, windows, workspace[0]!);
    if (gradParameters.bias) kernels.accumulateChannels(gradParameters.bias, gradOutput);
    if (gradInput) kernels.conv2d(gradInput, gradOutput, weight!, null, windows, workspace[0]!);
  },
});
