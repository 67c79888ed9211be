// Wu and He, "Group normalization", 2018.
import * as z from 'zod/mini';
import { numel, type Shape } from '../kernels/tensor';
import { alias, positiveInteger, positiveNumber } from '../option-schemas';
import { checkGroups } from './groups';
import { defineLayer } from './layer';

const options = z.strictObject({
  num_groups: positiveInteger(
    'Groups that the channels are divided into. 1 normalizes over all channels; as many as channels, each on its own (instance normalization).',
  ).check(alias('groups')),
  eps: z._default(positiveNumber('Added to the variance to avoid division by 0.').check(alias('epsilon')), 1e-5),
  affine: z._default(
    z
      .boolean()
      .check(
        z.describe('Whether to scale the normalized channels by `weight` and shift them by `bias`, both trained.'),
      ),
    true,
  ),
});

const groupSize = (sample: Shape, groups: number): number => numel(sample) / groups;

/**
 * y = (x - mean) / √(variance + eps) · weight + bias, with the mean and variance of each sample's groups of channels,
 * in both modes. x [channels, …].
 */
export const groupNorm = defineLayer({
  kind: 'group_norm',
  aliases: ['group_normalization', 'instance_norm'],
  summary:
    'Normalizes every group of channels of a sample to mean 0 and variance 1, in training and in evaluation. Then y = weight · x + bias, channel by channel.',
  math: {
    forward: String.raw`y = \gamma \odot \hat{x} + \beta, \quad \hat{x} = \frac{x - \mu}{\sqrt{v + \varepsilon}}, \quad \mu, v \text{: mean and variance of the group}`,
    input: String.raw`\d{x} = \frac{1}{\sqrt{v + \varepsilon}} \Big(g - \operatorname{mean} g - \hat{x} \odot \operatorname{mean}(g \odot \hat{x})\Big), \quad g = \gamma \odot \d{y}`,
    parameters: {
      weight: String.raw`\d{\gamma} = \sum \d{y} \odot \hat{x}`,
      bias: String.raw`\d{\beta} = \sum \d{y}`,
    },
  },
  options,
  checkInput: ([channels], { num_groups }) => checkGroups(channels!, num_groups, 'num_groups'),
  outputShape: (input) => input,
  normalizesOver: 'sample',
  normalizedCount: (input, { num_groups }) => groupSize(input, num_groups),
  parameters: ([channels], { affine }) =>
    affine
      ? [
          { name: 'weight', shape: [channels!], init: { initializer: { type: 'constant', val: 1 } } },
          { name: 'bias', shape: [channels!], init: { initializer: { type: 'constant', val: 0 } } },
        ]
      : [],
  internals: (input, { affine }) => (affine ? [{ name: 'normalized', shape: input }] : []),
  forward({ kernels, options: { num_groups, eps }, parameters: { weight, bias }, input, output, internals }) {
    const size = groupSize(input.shape.slice(1), num_groups);
    const normalized = internals.normalized ?? output;
    kernels.normalizeRows(normalized, input, null, null, size, eps);
    if (!weight || !bias) return;
    kernels.scaleChannels(output, normalized, weight);
    kernels.addChannels(output, bias);
  },
  backward(context) {
    const { kernels, options: layer, parameters, gradParameters, input, gradOutput, gradInput } = context;
    const size = groupSize(input.shape.slice(1), layer.num_groups);
    const { normalized } = context.internals;
    let gradNormalized = gradOutput;
    if (normalized) {
      // First holds what is summed for dL/d weight, then dL/d normalized.
      gradNormalized = context.gradInternals.normalized!;
      kernels.multiply(gradNormalized, gradOutput, normalized);
      kernels.accumulateChannels(gradParameters.weight!, gradNormalized);
      kernels.accumulateChannels(gradParameters.bias!, gradOutput);
      kernels.scaleChannels(gradNormalized, gradOutput, parameters.weight!);
    }
    if (gradInput) kernels.normalizeRowsBackward(gradInput, null, null, gradNormalized, input, null, size, layer.eps);
  },
});
