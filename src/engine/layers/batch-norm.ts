// Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift", 2015.
import * as z from 'zod/mini';
import type { Tensor } from '../kernels/tensor';
import { positive } from '../options';
import { defineLayer, type ForwardContext, type Misfit } from './layer';

const options = z.strictObject({
  eps: z._default(positive('Added to the variance, so that nothing is divided by 0.'), 1e-5),
  momentum: z._default(
    z.number().check(z.gt(0), z.lte(1), z.describe("How much of a batch goes into the running mean and variance: running = (1 - momentum) · running + momentum · batch.")),
    0.1,
  ),
  affine: z._default(z.boolean().check(z.describe('Whether what is normalized is then scaled by `weight` and shifted by `bias`, both trained.')), true),
  track_running_stats: z._default(
    z.boolean().check(z.describe('Whether a running mean and variance are kept, by which evaluation goes. Without them it goes by its own batch.')),
    true,
  ),
});

type Options = z.output<typeof options>;

/** Whether the numbers are those of the batch at hand. */
const ofBatch = ({ training, options: { track_running_stats } }: ForwardContext<Options>): boolean => training || !track_running_stats;

/** Mean and variance to go by; those of the batch are measured into the workspace. */
function statistics(context: ForwardContext<Options>): readonly [mean: Tensor, variance: Tensor] {
  const { kernels, buffers, input, workspace } = context;
  if (!ofBatch(context)) return [buffers.running_mean, buffers.running_var];
  const [mean, variance] = workspace;
  kernels.channelMoments(mean, variance, input);
  return [mean, variance];
}

/**
 * y = (x - mean) / √(variance + eps) · weight + bias, channel by channel. In training mean and variance are those of the
 * batch, and the gradient goes through them; in evaluation the running ones, into which the unbiased variance went.
 * Of a single value the variance is 0, in the running one, too, where PyTorch refuses.
 * @param dimensions of one sample
 */
export const batchNorm = <const Kind extends string>(kind: Kind, summary: string, dimensions: number, misfit: Misfit) =>
  defineLayer({
    kind,
    summary,
    math: {
      forward: String.raw`y = \gamma \odot \hat{x} + \beta, \quad \hat{x} = \frac{x - \mu}{\sqrt{v + \varepsilon}}, \quad \mu, v \text{: mean and variance of the channel}`,
      input: String.raw`\d{x} = \frac{\gamma}{\sqrt{v + \varepsilon}} \odot \Big(\d{y} - \operatorname{mean} \d{y} - \hat{x} \odot \operatorname{mean}\big(\d{y} \odot \hat{x}\big)\Big) \text{ in training}`,
      parameters: { weight: String.raw`\d{\gamma} = \sum \d{y} \odot \hat{x}`, bias: String.raw`\d{\beta} = \sum \d{y}` },
    },
    options,
    misfit: (input) => (input.length === dimensions ? undefined : misfit),
    outputShape: (input) => input,
    parameters: ([channels], { affine }) =>
      affine
        ? [
            { name: 'weight', shape: [channels], start: { initializer: { type: 'constant', val: 1 } } },
            { name: 'bias', shape: [channels], start: { initializer: { type: 'constant', val: 0 } } },
          ]
        : [],
    buffers: ([channels], { track_running_stats }) =>
      track_running_stats
        ? [{ name: 'running_mean', shape: [channels], fill: 0 }, { name: 'running_var', shape: [channels], fill: 1 }]
        : [],
    workspace: ([channels]) => [[channels], [channels]],
    sees: () => 'place',
    modes: ({ track_running_stats }) =>
      track_running_stats
        ? { training: 'goes by the mean and variance of the batch', evaluation: 'goes by the running mean and variance' }
        : undefined,
    forward(context) {
      const { kernels, parameters, input, output } = context;
      const [mean, variance] = statistics(context);
      kernels.normalizeChannels(output, input, mean, variance, parameters.weight ?? null, parameters.bias ?? null, context.options.eps);
    },
    track(context) {
      const { kernels, buffers, input, options: { momentum, track_running_stats } } = context;
      if (!track_running_stats) return;
      const [mean, variance] = statistics(context);
      const count = input.data.length / mean.data.length;
      kernels.combine(buffers.running_mean, mean, 1 - momentum, momentum);
      kernels.combine(buffers.running_var, variance, 1 - momentum, (momentum * count) / Math.max(1, count - 1));
    },
    backward(context) {
      const { kernels, parameters, gradParameters, input, gradOutput, gradInput } = context;
      const [mean, variance] = statistics(context);
      kernels.normalizeChannelsBackward(
        gradInput, gradParameters.weight ?? null, gradParameters.bias ?? null,
        gradOutput, input, mean, variance, parameters.weight ?? null, context.options.eps, ofBatch(context),
      );
    },
  });
