import { convolutionFormulas } from './convolution-formulas';
import { pluralize, isOrAre } from '../format-count';
import * as z from 'zod/mini';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import { formatShape, numel } from '../kernels/tensor';
import { im2colShape } from '../kernels/windows';
import { alias, positiveInteger } from '../option-schemas';
import { defineLayer, type ParameterDeclaration } from './layer';
import { checkGroups, groupsOption, validateGroups } from './groups';
import {
  convolutionOptions,
  dilationOption,
  windowedOutputShape,
  checkWindowedInput,
  windowedReceptiveField,
} from './window-options';

type Issue = readonly [path: readonly (string | number)[], message: string, remedy: string];

/** The first nested list whose length differs from `sizes`, which has one size per level; null allows any. */
function findShapeMismatch(
  list: unknown,
  sizes: readonly (number | null)[],
  path: readonly number[] = [],
): readonly number[] | null {
  if (!Array.isArray(list) || sizes.length === 0) return null;
  if (sizes[0] !== null && list.length !== sizes[0]) return path;
  for (let i = 0; i < list.length; i++) {
    const found = findShapeMismatch(list[i], sizes.slice(1), [...path, i]);
    if (found) return found;
  }
  return null;
}

const rows = z.array(z.array(z.number()).check(z.minLength(1))).check(z.minLength(1));

const options = z
  .strictObject({
    out_channels: z.optional(
      positiveInteger('Number of output channels. Optional if `weight` is given.').check(
        alias('filters', 'channels', 'output_channels', 'out_features'),
      ),
    ),
    in_channels: z.optional(
      positiveInteger("Number of input channels. By default, that of the previous layer's output.").check(
        alias('input_channels'),
      ),
    ),
    ...convolutionOptions,
    dilation: dilationOption,
    groups: groupsOption,
    weight: z.optional(
      z
        .array(z.array(rows).check(z.minLength(1)))
        .check(
          z.minLength(1),
          z.describe('Exact initial weights: out_channels × (in_channels / groups) × height × width, as in PyTorch.'),
        ),
    ),
    bias: z._default(
      z
        .union([z.boolean(), z.array(z.number())])
        .check(
          z.describe('Whether to add a bias, or its exact initial values, one per output channel.'),
          alias('use_bias', 'biases'),
        ),
      true,
    ),
    init: z._default(
      initializerOption('Initializer of the weights, unless `weight` gives their values.', WEIGHT_INIT_ALIASES),
      {
        type: 'fan_in_uniform',
      },
    ),
    bias_init: z._default(
      initializerOption('Initializer of the biases, unless `bias` gives their values.', BIAS_INIT_ALIASES),
      {
        type: 'fan_in_uniform',
      },
    ),
  })
  .check(
    z.refine(({ out_channels, weight }) => out_channels !== undefined || weight !== undefined, {
      error: 'A conv2d layer needs "out_channels" or "weight".',
      path: [],
      params: { code: 'missing-option', remedy: 'Add "out_channels": the number of output channels.' },
    }),
    z.superRefine(({ out_channels, in_channels, groups, kernel_size, weight, bias }, context) => {
      const issues: Issue[] = [];
      const channels = out_channels ?? weight?.length;
      if (weight) {
        const inputs = in_channels === undefined ? weight[0]?.length : in_channels / groups;
        const sizes = [out_channels ?? null, inputs ?? null, ...kernel_size];
        const found = findShapeMismatch(weight, sizes);
        if (found) {
          const wanted = formatShape([channels ?? 0, sizes[1] ?? 0, ...kernel_size]);
          issues.push([
            ['weight', ...found],
            `"weight" must have the shape ${wanted}: output channels, input channels, height and width of the window.`,
            `Write ${sizes[found.length]} entries here, or correct the other sizes.`,
          ]);
        }
      }
      if (Array.isArray(bias) && bias.length !== channels) {
        issues.push([
          ['bias'],
          `There ${isOrAre(bias.length)} ${pluralize(bias.length, 'bias', 'biases')} for ${pluralize(channels ?? 0, 'output channel')}.`,
          'Write one bias per output channel.',
        ]);
      }
      for (const [path, message, remedy] of issues) {
        context.addIssue({
          code: 'custom',
          path: [...path],
          message,
          params: { code: 'shape-mismatch', remedy },
          input: weight,
        });
      }
    }),
  )
  .check(validateGroups);

type ConvOptions = z.output<typeof options>;

const outChannels = ({ out_channels, weight }: ConvOptions): number => out_channels ?? weight?.length ?? 0;

function parameterInit(values: readonly number[] | undefined, by: ConvOptions['init']): ParameterDeclaration['init'] {
  return values ? { values } : { initializer: by };
}

/**
 * y[o] = b[o] + Σ W[o] · x over channels and window, at every position of the window; a cross-correlation, as in
 * PyTorch. x [in, height, width], W [out, in / groups, …kernel_size], y [out, (height + 2 padding - span) / stride + 1
 * rounded down, …], where the span of a window is dilation · (kernel - 1) + 1.
 */
export const conv2d = defineLayer({
  kind: 'conv2d',
  question: 'convolution-weights',
  aliases: ['conv', 'convolution', 'convolution2d'],
  summary: 'A 2D convolution: y = b + Σ W · x over a window of all channels, with the same weights at every position.',
  formulas: ({ options: layer, shapes: [input] }) =>
    convolutionFormulas({
      ...layer,
      bias: layer.bias !== false,
      inputs: input![0]!,
      outputs: outChannels(layer),
    }),
  options,
  checkInput(input, layer) {
    const misfit = checkWindowedInput(input, layer);
    const channels = layer.in_channels ?? (layer.weight && layer.weight[0]!.length * layer.groups);
    if (misfit) return misfit;
    if (channels === undefined || channels === input[0]) return checkGroups(input[0]!, layer.groups);
    const option = layer.in_channels === undefined ? 'weight' : 'in_channels';
    return {
      requirement: `expects ${channels} ${channels === 1 ? 'channel' : 'channels'}`,
      remedy:
        option === 'weight'
          ? `Write weights for ${pluralize(input[0]!, 'input channel')}.`
          : 'Omit "in_channels", or correct it.',
      option,
    };
  },
  outputShape: (input, layer) => windowedOutputShape(outChannels(layer), input, layer),
  parameters([inputs], layer) {
    const channels = outChannels(layer);
    const weight: ParameterDeclaration = {
      name: 'weight',
      shape: [channels, inputs! / layer.groups, ...layer.kernel_size],
      init: parameterInit(layer.weight?.flat(3), layer.init),
    };
    if (layer.bias === false) return [weight];
    const values = layer.bias === true ? undefined : layer.bias;
    return [weight, { name: 'bias', shape: [channels], init: parameterInit(values, layer.bias_init) }];
  },
  macs: ([inputs], output, { kernel_size, groups }) => (numel(output) * inputs! * numel(kernel_size)) / groups,
  receptiveField: (layer) => windowedReceptiveField(layer),
  windows: 'convolution',
  affine: true,
  workspace: (input, layer) => [im2colShape(input, layer)],
  forward({ kernels, options: windows, parameters, input, output, workspace }) {
    kernels.conv2d(output, input, parameters.weight!, parameters.bias ?? null, windows, workspace[0]!);
  },
  backward({ kernels, options: windows, parameters, input, gradOutput, gradInput, gradParameters, workspace }) {
    kernels.conv2dBackwardWeight(
      gradParameters.weight!,
      gradParameters.bias ?? null,
      gradOutput,
      input,
      windows,
      workspace[0]!,
    );
    if (gradInput) kernels.conv2dBackwardInput(gradInput, gradOutput, parameters.weight!, windows, workspace[0]!);
  },
});
