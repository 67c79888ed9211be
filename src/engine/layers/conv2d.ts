import { counted, isOrAre } from '../counted';
import * as z from 'zod/mini';
import { initializer } from '../initializers/options';
import { formatShape, sizeOf } from '../kernels/tensor';
import { unfoldedShape } from '../kernels/windows';
import { count } from '../options';
import { defineLayer, type ParameterDeclaration } from './layer';
import { convolutionOptions, windowedShape, windowsMisfit, windowsSee } from './windows';

type Issue = readonly [path: readonly (string | number)[], message: string, remedy: string];

/** The first list in nested ones that is not as long as `sizes` says, one size for each level; null for any. */
function firstMisshapen(list: unknown, sizes: readonly (number | null)[], path: readonly number[] = []): readonly number[] | null {
  if (!Array.isArray(list) || sizes.length === 0) return null;
  if (sizes[0] !== null && list.length !== sizes[0]) return path;
  for (let i = 0; i < list.length; i++) {
    const found = firstMisshapen(list[i], sizes.slice(1), [...path, i]);
    if (found) return found;
  }
  return null;
}

const rows = z.array(z.array(z.number()).check(z.minLength(1))).check(z.minLength(1));

const options = z
  .strictObject({
    out_channels: z.optional(count('Channels of the output. May be left out where `weight` is given.')),
    in_channels: z.optional(count('Channels of the input; taken from the layer before unless given.')),
    ...convolutionOptions,
    weight: z.optional(
      z
        .array(z.array(rows).check(z.minLength(1)))
        .check(z.minLength(1), z.describe('Exact starting weights: out_channels × in_channels × height × width, as PyTorch holds them.')),
    ),
    bias: z._default(
      z
        .union([z.boolean(), z.array(z.number())])
        .check(z.describe('Whether a bias is added, or its exact starting values, one for each output channel.')),
      true,
    ),
    init: z._default(initializer('How weights are drawn where `weight` is not given.'), { type: 'fan_in_uniform' }),
    bias_init: z._default(initializer('How biases are drawn where `bias` gives no values.'), { type: 'fan_in_uniform' }),
  })
  .check(
    z.refine(({ out_channels, weight }) => out_channels !== undefined || weight !== undefined, {
      error: 'A conv2d layer needs `out_channels` or `weight`.',
      path: [],
      params: { code: 'missing-option', remedy: 'Add "out_channels": the number of channels that it gives.' },
    }),
    z.superRefine(({ out_channels, in_channels, kernel_size, weight, bias }, context) => {
      const issues: Issue[] = [];
      const channels = out_channels ?? weight?.length;
      if (weight) {
        const sizes = [out_channels ?? null, in_channels ?? weight[0]?.length ?? null, ...kernel_size];
        const found = firstMisshapen(weight, sizes);
        if (found) {
          const wanted = formatShape([channels ?? 0, sizes[1] ?? 0, ...kernel_size]);
          issues.push([
            ['weight', ...found],
            `The weights have to be ${wanted}: output channels, input channels, height and width of a window.`,
            `Write ${sizes[found.length]} here, or change the sizes that do not fit.`,
          ]);
        }
      }
      if (Array.isArray(bias) && bias.length !== channels) {
        issues.push([['bias'], `There ${isOrAre(bias.length)} ${counted(bias.length, 'bias', 'biases')} for ${counted(channels ?? 0, 'output channel')}.`, 'Give one bias for each output channel.']);
      }
      for (const [path, message, remedy] of issues) {
        context.addIssue({ code: 'custom', path: [...path], message, params: { code: 'shape-mismatch', remedy }, input: weight });
      }
    }),
  );

type ConvOptions = z.output<typeof options>;

const channelsOf = ({ out_channels, weight }: ConvOptions): number => out_channels ?? weight?.length ?? 0;

function start(values: readonly number[] | undefined, by: ConvOptions['init']): ParameterDeclaration['start'] {
  return values ? { values } : { initializer: by };
}

/**
 * y[o] = b[o] + Σ over channels and the window of W[o] · x, at every place of the window; not mirrored, as in PyTorch.
 * x [in, height, width], W [out, in, …kernel_size], y [out, (height + 2 padding - kernel) / stride + 1 rounded down, …].
 */
export const conv2d = defineLayer({
  kind: 'conv2d',
  summary: 'A convolution of images: y = b + Σ W · x over windows of all channels, the same weights at every place.',
  math: {
    forward: String.raw`y_{o,u,v} = b_o + \sum_{c,i,j} W_{o,c,i,j} \, x_{c,\,us+i-p,\,vs+j-p}`,
    input: String.raw`\d{x} = \text{the same windows, turned around: each } \d{y_{o,u,v}} W_{o,c,i,j} \text{ goes back to where its } x \text{ came from}`,
    parameters: { weight: String.raw`\d{W_{o,c,i,j}} = \sum_{\text{samples},u,v} \d{y_{o,u,v}} \, x_{c,\,us+i-p,\,vs+j-p}`, bias: String.raw`\d{b_o} = \sum_{\text{samples},u,v} \d{y_{o,u,v}}` },
  },
  options,
  misfit(input, layer) {
    const misfit = windowsMisfit(input, layer);
    const channels = layer.in_channels ?? layer.weight?.[0].length;
    if (misfit || channels === undefined || channels === input[0]) return misfit;
    const option = layer.in_channels === undefined ? 'weight' : 'in_channels';
    return {
      needs: `expects ${channels} ${channels === 1 ? 'channel' : 'channels'}`,
      remedy: option === 'weight' ? `Give each output channel weights for ${input[0]}.` : 'Leave out "in_channels", or make it fit.',
      option,
    };
  },
  outputShape: (input, layer) => windowedShape(channelsOf(layer), input, layer),
  parameters([inputs], layer) {
    const channels = channelsOf(layer);
    const weight: ParameterDeclaration = {
      name: 'weight',
      shape: [channels, inputs, ...layer.kernel_size],
      start: start(layer.weight?.flat(3), layer.init),
    };
    if (layer.bias === false) return [weight];
    const values = layer.bias === true ? undefined : layer.bias;
    return [weight, { name: 'bias', shape: [channels], start: start(values, layer.bias_init) }];
  },
  macs: ([inputs], output, { kernel_size }) => sizeOf(output) * inputs * sizeOf(kernel_size),
  sees: (layer) => windowsSee(layer),
  workspace: (input, layer) => [unfoldedShape(input, layer)],
  forward({ kernels, options: windows, parameters, input, output, workspace }) {
    kernels.conv2d(output, input, parameters.weight, parameters.bias ?? null, windows, workspace[0]);
  },
  backward({ kernels, options: windows, parameters, input, gradOutput, gradInput, gradParameters, workspace }) {
    kernels.conv2dBackwardWeight(gradParameters.weight, gradParameters.bias ?? null, gradOutput, input, windows, workspace[0]);
    if (gradInput) kernels.conv2dBackwardInput(gradInput, gradOutput, parameters.weight, windows, workspace[0]);
  },
});
