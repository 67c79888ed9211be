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
  formulas({ options: { num_groups, eps, affine }, shapes: [input] }) {
    const size = input![0]! / num_groups;
    const [places, others] = [
      ['u', 'v'],
      ['i', 'j'],
    ].map((names) => names.slice(0, input!.length - 1));
    const at = ['c', ...places!].join(', ');
    const group = num_groups === 1 ? '0' : size === 1 ? 'c' : `floor(c / ${size})`;
    const over = [`k < ${size}`, ...others!].join(', ');
    const inGroup = (g: string): string => [`${g} * ${size} + k`, ...others!].join(', ');
    const where =
      `where n[${at}] = (x[${at}] - mu[${group}]) / sqrt(var[${group}] + ${eps}); mu[g] = mean(${over}: x[${inGroup('g')}]); ` +
      `var[g] = mean(${over}: (x[${inGroup('g')}] - mu[g])^2)`;
    const scale = affine ? 'weight[c] * ' : '';
    return {
      equations: [
        `y[${at}] = ${scale}n[${at}]${affine ? ' + bias[c]' : ''} ${where}`,
        `dx[${at}] = (d(n)[${at}] - mean(${over}: d(n)[${inGroup(group)}]) - ` +
          `n[${at}] * mean(${over}: d(n)[${inGroup(group)}] * n[${inGroup(group)}])) / sqrt(var[${group}] + ${eps}) ` +
          `${where}; d(n)[${at}] = ${scale}dy[${at}]`,
        `d(weight)[c] = sum(${['samples', ...places!].join(', ')}: dy[${at}] * n[${at}]) ${where}`,
        `d(bias)[c] = sum(${['samples', ...places!].join(', ')}: dy[${at}])`,
      ],
      symbols: { n: 'normalized by each group of channels' },
    };
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
