// Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
// 2015.
import * as z from 'zod/mini';
import type { Tensor } from '../kernels/tensor';
import { alias, positiveNumber } from '../option-schemas';
import { defineLayer, type ForwardContext, type InputMismatch } from './layer';

const options = z.strictObject({
  eps: z._default(positiveNumber('Added to the variance to avoid division by 0.').check(alias('epsilon')), 1e-5),
  momentum: z._default(
    z
      .number()
      .check(
        z.gt(0),
        z.lte(1),
        z.describe(
          'Weight of the batch in the running mean and variance: running = (1 - momentum) · running + momentum · batch.',
        ),
      ),
    0.1,
  ),
  affine: z._default(
    z
      .boolean()
      .check(z.describe('Whether to scale the normalized values by `weight` and shift them by `bias`, both trained.')),
    true,
  ),
  track_running_stats: z._default(
    z
      .boolean()
      .check(
        z.describe(
          'Whether to keep a running mean and variance for evaluation. Without them, evaluation uses its own batch.',
        ),
      ),
    true,
  ),
});

type Options = z.output<typeof options>;

/** Whether to normalize by the batch's own mean and variance. */
const usesBatchStatistics = ({ training, options: { track_running_stats } }: ForwardContext<Options>): boolean =>
  training || !track_running_stats;

/** The mean and variance to normalize by; those of the batch are computed in the workspace. */
function meanAndVariance(context: ForwardContext<Options>): readonly [mean: Tensor, variance: Tensor] {
  const { kernels, buffers, input, workspace } = context;
  if (!usesBatchStatistics(context)) return [buffers.running_mean!, buffers.running_var!];
  const [mean, variance] = workspace as readonly [Tensor, Tensor];
  kernels.channelMoments(mean, variance, input);
  return [mean, variance];
}

/**
 * y = (x - mean) / √(variance + eps) · weight + bias, channel by channel. In training, mean and variance are those of
 * the batch, and the gradient flows through them. In evaluation they are the running ones, with the unbiased variance.
 * The variance of a single value is 0; PyTorch raises an error instead.
 * @param dimensions of one sample
 */
const batchNorm = <const Kind extends string>(
  kind: Kind,
  summary: string,
  aliases: readonly string[],
  dimensions: number,
  misfit: InputMismatch,
) =>
  defineLayer({
    kind,
    question: 'batch-norm-modes',
    aliases,
    summary,
    formulas: ({ options: { eps, affine } }) => {
      const [at, all, over] = dimensions === 1 ? ['c', 'c', 'samples'] : ['c, u, v', 'c, i, j', 'samples, i, j'];
      const where =
        `where n[${at}] = (x[${at}] - mu[c]) / sqrt(var[c] + ${eps}); mu[c] = mean(${over}: x[${all}]); ` +
        `var[c] = mean(${over}: (x[${all}] - mu[c])^2)`;
      const scale = affine ? 'weight[c]' : '1';
      return {
        equations: [
          `y[${at}] = ${scale} * n[${at}]${affine ? ' + bias[c]' : ''} ${where}`,
          `dx[${at}] = ${scale} / sqrt(var[c] + ${eps}) * ` +
            `(dy[${at}] - mean(${over}: dy[${all}]) - n[${at}] * mean(${over}: dy[${all}] * n[${all}])) ${where}`,
          `d(weight)[c] = sum(${over}: dy[${all}] * n[${all}]) ${where}`,
          `d(bias)[c] = sum(${over}: dy[${all}])`,
        ],
        symbols: { n: 'normalized by the batch, in training' },
      };
    },
    options,
    checkInput: (input) => (input.length === dimensions ? undefined : misfit),
    outputShape: (input) => input,
    parameters: ([channels], { affine }) =>
      affine
        ? [
            { name: 'weight', shape: [channels!], init: { initializer: { type: 'constant', val: 1 } } },
            { name: 'bias', shape: [channels!], init: { initializer: { type: 'constant', val: 0 } } },
          ]
        : [],
    buffers: ([channels], { track_running_stats }) =>
      track_running_stats
        ? [
            { name: 'running_mean', shape: [channels!], fill: 0 },
            { name: 'running_var', shape: [channels!], fill: 1 },
          ]
        : [],
    workspace: ([channels]) => [[channels!], [channels!]],
    receptiveField: () => 'pointwise',
    affine: true,
    normalizesOver: 'batch',
    modes: ({ track_running_stats }) =>
      track_running_stats
        ? {
            training: 'uses the mean and variance of the batch',
            evaluation: 'uses the running mean and variance',
          }
        : undefined,
    forward(context) {
      const { kernels, parameters, input, output } = context;
      const [mean, variance] = meanAndVariance(context);
      kernels.normalizeChannels(
        output,
        input,
        mean,
        variance,
        parameters.weight ?? null,
        parameters.bias ?? null,
        context.options.eps,
      );
    },
    updateBuffers(context) {
      const {
        kernels,
        buffers,
        input,
        options: { momentum, track_running_stats },
      } = context;
      if (!track_running_stats) return;
      const [mean, variance] = meanAndVariance(context);
      const count = input.data.length / mean.data.length;
      kernels.axpby(buffers.running_mean!, mean, 1 - momentum, momentum);
      kernels.axpby(buffers.running_var!, variance, 1 - momentum, (momentum * count) / Math.max(1, count - 1));
    },
    backward(context) {
      const { kernels, parameters, gradParameters, input, gradOutput, gradInput } = context;
      const [mean, variance] = meanAndVariance(context);
      kernels.normalizeChannelsBackward(
        gradInput,
        gradParameters.weight ?? null,
        gradParameters.bias ?? null,
        gradOutput,
        input,
        mean,
        variance,
        parameters.weight ?? null,
        context.options.eps,
        usesBatchStatistics(context),
      );
    },
  });

const SUMMARY =
  'to mean 0 and variance 1: by the batch in training, by running statistics in evaluation. Then y = weight · x + bias.';

export const batchNorm1d = batchNorm(
  'batch_norm1d',
  `Normalizes every feature ${SUMMARY}`,
  ['batch_norm', 'batch_normalization'],
  1,
  { requirement: 'needs one row of numbers per sample', remedy: 'Use "batch_norm2d" for images.' },
);

export const batchNorm2d = batchNorm(
  'batch_norm2d',
  `Normalizes every channel of an image ${SUMMARY}`,
  ['spatial_batch_norm'],
  3,
  { requirement: 'needs images, channels × height × width', remedy: 'Use "batch_norm1d" for rows of numbers.' },
);
