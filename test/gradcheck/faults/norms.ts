// What goes wrong in layers that normalize: backward written out, each time with one mistake.
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import type { LayerKind } from '../../../src/engine/layers';
import { after, type Cause, type Context, type Fault, type Site } from './fault';

const BATCH: readonly LayerKind[] = ['batch_norm1d', 'batch_norm2d'];
const NORMS: readonly LayerKind[] = [...BATCH, 'layer_norm'];

/** What is normalized together: a channel of all samples, or one sample. */
function groupsOf({ input: { data, shape } }: Context, isBatch: boolean): number[][] {
  const [samples, channels] = shape;
  const each = data.length / samples / channels;
  const all = Array.from(data, (_, i) => i);
  if (!isBatch) return Array.from({ length: samples }, (_, n) => all.slice((n * data.length) / samples, ((n + 1) * data.length) / samples));
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
  /** Of the running statistics. */
  readonly running: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Which entry of weight and bias belongs to a place. */
function place({ input: { data, shape: [samples, channels] }, parameters: { weight } }: Context, i: number, isBatch: boolean): number {
  const inSample = data.length / samples;
  return isBatch ? Math.floor((i % inSample) / (inSample / channels)) : i % weight.data.length;
}

const isBatchNorm = ({ kind }: Site): boolean => BATCH.includes(kind as LayerKind);

/** dx of each group by a formula. */
const slopes = (by: (group: Group) => readonly number[]) => (inner: LayerDefinition, site: Site): LayerDefinition =>
  after(inner, 'input', ({ data: gradient }, context) => {
    const { input, gradOutput, parameters: { weight }, options, buffers } = context;
    const { eps } = options as { readonly eps: number };
    groupsOf(context, isBatchNorm(site)).forEach((indices, channel) => {
      const x = indices.map((i) => input.data[i]);
      const [m, dy] = [mean(x), indices.map((i) => gradOutput.data[i])];
      const variance = mean(x.map((value) => (value - m) ** 2));
      const w = indices.map((i) => weight.data[place(context, i, isBatchNorm(site))]);
      const running = buffers.running_var ? buffers.running_var.data[channel] : 1;
      const group: Group = { dy, weight: w, g: dy.map((value, k) => value * w[k]), x: x.map((value) => (value - m) / Math.sqrt(variance + eps)), variance, eps, running };
      by(group).forEach((value, k) => (gradient[indices[k]] = value));
    });
  });

const through = ({ g, x }: Pick<Group, 'g' | 'x'>, unbiased = 0): number[] => {
  const [first, second] = [mean(g), (mean(g.map((value, k) => value * x[k])) * g.length) / (g.length - unbiased)];
  return g.map((value, k) => value - first - x[k] * second);
};

const fault = (kind: string, causes: readonly Cause[], tensor: string, layer: NonNullable<Fault['layer']>, also: Fault['fits'] = () => true): Fault => ({
  kind, causes, layer, within: 'norms', fits: (site) => NORMS.includes(site.kind as LayerKind) && site.tensor === tensor && also(site),
});

/** The gradient of a parameter from numbers place by place. */
const summed = (tensor: string, by: (dy: number, i: number, context: Context, isBatch: boolean) => number) => (inner: LayerDefinition, site: Site): LayerDefinition =>
  after(inner, tensor, ({ data }, context) => {
    data.fill(0);
    context.gradOutput.data.forEach((dy, i) => (data[place(context, i, isBatchNorm(site))] += by(dy, i, context, isBatchNorm(site))));
  });

const scaled = (values: readonly number[], { variance, eps }: Group): number[] => values.map((value) => value / Math.sqrt(variance + eps));
const inSample = ({ gradOutput: { data, shape } }: Context): number => data.length / shape[0];
const largeEps = ({ options }: Site): boolean => (options as { readonly eps: number }).eps > 0.01;

export const OF_NORMS: readonly Fault[] = [
  fault("normalizing: the mean's share forgotten", ['statistics_constant'], 'input', slopes((group) => {
    const second = mean(group.g.map((value, k) => value * group.x[k]));
    return scaled(group.g.map((value, k) => value - group.x[k] * second), group);
  })),
  fault("normalizing: the variance's share forgotten", ['statistics_constant'], 'input', slopes((group) => {
    const first = mean(group.g);
    return scaled(group.g.map((value) => value - first), group);
  })),
  fault('normalizing: mean and variance held constant', ['statistics_constant'], 'input', slopes((group) => scaled(group.g, group))),
  fault('normalizing: weight forgotten on the way back', ['scale_missing'], 'input', slopes((group) => scaled(through({ g: group.dy, x: group.x }), group))),
  fault('normalizing: standard deviation forgotten', ['scale_missing'], 'input', slopes((group) => through(group))),
  fault('normalizing: divided by the variance', ['scale_missing'], 'input', slopes((group) => through(group).map((value) => value / (group.variance + group.eps)))),
  fault('normalizing: eps forgotten', ['options_ignored'], 'input', slopes((group) => {
    const again = Math.sqrt((group.variance + group.eps) / group.variance);
    const x = group.x.map((value) => value * again);
    return through({ g: group.g, x }).map((value) => value / Math.sqrt(group.variance));
  }), largeEps),
  fault('normalizing: n - 1 in place of n', ['unbiased'], 'input', slopes((group) => scaled(through(group, 1), group))),
  fault('batch norm: as in evaluation', ['other_mode'], 'input', slopes(({ g, running, eps }) => g.map((value) => value / Math.sqrt(running + eps))), isBatchNorm),
  fault('normalizing: weight from the input as it came', ['not_normalized'], 'weight', summed('weight', (dy, i, { input }) => dy * input.data[i])),
  fault('normalizing: weight from the output', ['derivative_at_output'], 'weight', summed('weight', (dy, i, { output }) => dy * output.data[i])),
  fault('normalizing: weight without the input', ['input_ignored'], 'weight', summed('weight', (dy) => dy)),
  fault('normalizing: bias of the first sample', ['one_sample'], 'bias', summed('bias', (dy, i, context) => (i < inSample(context) ? dy : 0))),
  fault('normalizing: bias averaged', ['factor'], 'bias', summed('bias', (dy, _, { input: { shape } }) => dy / shape[0])),
];

/** Weights of norms start at 1 and biases at 0, where many a fault does not show. */
export const startsPlain = (kind: string): boolean => NORMS.includes(kind as LayerKind);
