// Mistakes in normalization layers: complete backward passes, each with one mistake.
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import type { LayerKind } from '../../../src/engine/layers';
import { afterBackward, type Cause, type Context, type Fault, type Site } from './fault';

const BATCH_NORMS: readonly LayerKind[] = ['batch_norm1d', 'batch_norm2d'];
const NORMS: readonly LayerKind[] = [...BATCH_NORMS, 'layer_norm'];

/** The values that are normalized together: a channel of all samples, or one sample. */
function groupsOf({ input: { data, shape } }: Context, isBatch: boolean): number[][] {
  const [samples, channels] = shape;
  const each = data.length / samples / channels;
  const all = Array.from(data, (_, i) => i);
  if (!isBatch)
    return Array.from({ length: samples }, (_, n) =>
      all.slice((n * data.length) / samples, ((n + 1) * data.length) / samples),
    );
  return Array.from({ length: channels }, (_, c) => all.filter((i) => Math.floor(i / each) % channels === c));
}

interface Group {
  /** dy times the weight, and without. */
  readonly g: readonly number[];
  readonly dy: readonly number[];
  readonly weight: readonly number[];
  /** Normalized. */
  readonly x: readonly number[];
  readonly variance: number;
  readonly eps: number;
  /** Standard deviation of the running statistics. */
  readonly running: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The index of weight and bias for a position. */
function weightIndex(
  {
    input: {
      data,
      shape: [samples, channels],
    },
    parameters: { weight },
  }: Context,
  i: number,
  isBatch: boolean,
): number {
  const inSample = data.length / samples;
  return isBatch ? Math.floor((i % inSample) / (inSample / channels)) : i % weight.data.length;
}

const isBatchNorm = ({ kind }: Site): boolean => BATCH_NORMS.includes(kind as LayerKind);

/** Computes dx of each group by a formula. */
const groupwiseInputGradient =
  (by: (group: Group) => readonly number[]) =>
  (inner: LayerDefinition, site: Site): LayerDefinition =>
    afterBackward(inner, 'input', ({ data: gradient }, context) => {
      const {
        input,
        gradOutput,
        parameters: { weight },
        options,
        buffers,
      } = context;
      const { eps } = options as { readonly eps: number };
      groupsOf(context, isBatchNorm(site)).forEach((indices, channel) => {
        const x = indices.map((i) => input.data[i]);
        const [m, dy] = [mean(x), indices.map((i) => gradOutput.data[i])];
        const variance = mean(x.map((value) => (value - m) ** 2));
        const w = indices.map((i) => weight.data[weightIndex(context, i, isBatchNorm(site))]);
        const running = buffers.running_var ? buffers.running_var.data[channel] : 1;
        const group: Group = {
          dy,
          weight: w,
          g: dy.map((value, k) => value * w[k]),
          x: x.map((value) => (value - m) / Math.sqrt(variance + eps)),
          variance,
          eps,
          running,
        };
        by(group).forEach((value, k) => (gradient[indices[k]] = value));
      });
    });

const normBackward = ({ g, x }: Pick<Group, 'g' | 'x'>, unbiased = 0): number[] => {
  const [first, second] = [mean(g), (mean(g.map((value, k) => value * x[k])) * g.length) / (g.length - unbiased)];
  return g.map((value, k) => value - first - x[k] * second);
};

const normFault = (
  kind: string,
  causes: readonly Cause[],
  tensor: string,
  layer: NonNullable<Fault['layer']>,
  matches: Fault['fits'] = () => true,
): Fault => ({
  kind,
  causes,
  layer,
  networkKind: 'norms',
  fits: (site) => NORMS.includes(site.kind as LayerKind) && site.tensor === tensor && matches(site),
});

/** Computes the gradient of a parameter from one number per position. */
const parameterGradient =
  (tensor: string, by: (dy: number, i: number, context: Context, isBatch: boolean) => number) =>
  (inner: LayerDefinition, site: Site): LayerDefinition =>
    afterBackward(inner, tensor, ({ data }, context) => {
      data.fill(0);
      context.gradOutput.data.forEach(
        (dy, i) => (data[weightIndex(context, i, isBatchNorm(site))] += by(dy, i, context, isBatchNorm(site))),
      );
    });

const divideByStd = (values: readonly number[], { variance, eps }: Group): number[] =>
  values.map((value) => value / Math.sqrt(variance + eps));
const elementsPerSample = ({ gradOutput: { data, shape } }: Context): number => data.length / shape[0];
const hasLargeEps = ({ options }: Site): boolean => (options as { readonly eps: number }).eps > 0.01;

export const NORM_FAULTS: readonly Fault[] = [
  normFault(
    "normalizing: the mean's share forgotten",
    ['statistics_constant'],
    'input',
    groupwiseInputGradient((group) => {
      const second = mean(group.g.map((value, k) => value * group.x[k]));
      return divideByStd(
        group.g.map((value, k) => value - group.x[k] * second),
        group,
      );
    }),
  ),
  normFault(
    "normalizing: the variance's share forgotten",
    ['statistics_constant'],
    'input',
    groupwiseInputGradient((group) => {
      const first = mean(group.g);
      return divideByStd(
        group.g.map((value) => value - first),
        group,
      );
    }),
  ),
  normFault(
    'normalizing: mean and variance held constant',
    ['statistics_constant'],
    'input',
    groupwiseInputGradient((group) => divideByStd(group.g, group)),
  ),
  normFault(
    'normalizing: weight forgotten on the way back',
    ['scale_missing'],
    'input',
    groupwiseInputGradient((group) => divideByStd(normBackward({ g: group.dy, x: group.x }), group)),
  ),
  normFault(
    'normalizing: standard deviation forgotten',
    ['scale_missing'],
    'input',
    groupwiseInputGradient((group) => normBackward(group)),
  ),
  normFault(
    'normalizing: divided by the variance',
    ['scale_missing'],
    'input',
    groupwiseInputGradient((group) => normBackward(group).map((value) => value / (group.variance + group.eps))),
  ),
  normFault(
    'normalizing: eps forgotten',
    ['options_ignored'],
    'input',
    groupwiseInputGradient((group) => {
      const again = Math.sqrt((group.variance + group.eps) / group.variance);
      const x = group.x.map((value) => value * again);
      return normBackward({ g: group.g, x }).map((value) => value / Math.sqrt(group.variance));
    }),
    hasLargeEps,
  ),
  normFault(
    'normalizing: n - 1 in place of n',
    ['unbiased'],
    'input',
    groupwiseInputGradient((group) => divideByStd(normBackward(group, 1), group)),
  ),
  normFault(
    'batch norm: as in evaluation',
    ['other_mode'],
    'input',
    groupwiseInputGradient(({ g, running, eps }) => g.map((value) => value / Math.sqrt(running + eps))),
    isBatchNorm,
  ),
  normFault(
    'normalizing: weight from the input as it came',
    ['not_normalized'],
    'weight',
    parameterGradient('weight', (dy, i, { input }) => dy * input.data[i]),
  ),
  normFault(
    'normalizing: weight from the output',
    ['derivative_at_output'],
    'weight',
    parameterGradient('weight', (dy, i, { output }) => dy * output.data[i]),
  ),
  normFault(
    'normalizing: weight without the input',
    ['input_ignored'],
    'weight',
    parameterGradient('weight', (dy) => dy),
  ),
  normFault(
    'normalizing: bias of the first sample',
    ['one_sample'],
    'bias',
    parameterGradient('bias', (dy, i, context) => (i < elementsPerSample(context) ? dy : 0)),
  ),
  normFault(
    'normalizing: bias averaged',
    ['factor'],
    'bias',
    parameterGradient('bias', (dy, _, { input: { shape } }) => dy / shape[0]),
  ),
];

/** Weights of normalization layers start at 1 and biases at 0, which hides many faults. */
export const startsAtIdentity = (kind: string): boolean => NORMS.includes(kind as LayerKind);
