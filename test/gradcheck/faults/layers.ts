// Faults of layers and losses of a kind: sums over the batch, derivatives, masks, penalties.
import { layers, type LayerKind } from '../../../src/engine/layers';
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { layerOf } from '../nets';
import { after, copyOf, type Fault, madeFrom, rowsOf, type Site, slope, type Values } from './fault';

const ofLinear = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor !== 'input';
const ofWeight = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor === 'weight';
const ofBias = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor === 'bias';
const isSquare = ({ inputs, outputs }: Site): boolean => inputs === outputs;
const PLAIN: readonly LayerKind[] = ['linear', 'identity', 'flatten', 'dropout'];
const isElementwise = ({ kind, tensor }: Site): boolean =>
  tensor === 'input' && kind !== 'loss' && !PLAIN.includes(kind) && layerOf(kind).reach === 'elementwise';
const isOf = (...kinds: readonly Site['kind'][]) => ({ kind, tensor }: Site): boolean => tensor === 'input' && kinds.includes(kind);

const kept = (data: Values, samples: number, keep: (sample: number) => boolean): Values => {
  const width = data.length / samples;
  return data.map((value, i) => (keep(Math.floor(i / width)) ? value : 0));
};

/** Each sample gets what belongs to the next. */
const rolled = (data: Values, samples: number): Values => {
  const width = data.length / samples;
  return data.map((_, i) => data[(i + width) % data.length]);
};

/** What a layer makes of an input. */
function forwardOf({ forward }: LayerDefinition, context: Parameters<LayerDefinition['forward']>[0], values: Values): Values {
  const [input, output] = [copyOf(context.kernels, context.input), copyOf(context.kernels, context.output)];
  input.data.set(values);
  forward({ ...context, input, output });
  return output.data;
}

const SUMS: readonly Fault[] = [
  { kind: 'bias of the first sample only', causes: ['one_sample'], fits: (site) => ofBias(site) && site.batch > 1,
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ gradOutput, input }) => ({ gradOutput: kept(gradOutput.data, input.shape[0], (sample) => sample === 0) })) },
  { kind: 'the last sample overwrites the others', causes: ['one_sample'], fits: (site) => ofLinear(site) && site.batch > 1,
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ gradOutput, input: { shape: [n] } }) => ({ gradOutput: kept(gradOutput.data, n, (sample) => sample === n - 1) })) },
  { kind: 'one sample left out', causes: ['sample_missing'], fits: (site) => ofLinear(site) && site.batch > 2,
    layer: (inner, { tensor }, random) => {
      const first = random.below(2) === 0;
      return madeFrom(inner, tensor, ({ gradOutput, input: { shape: [n] } }) => ({ gradOutput: kept(gradOutput.data, n, (sample) => sample !== (first ? 0 : n - 1)) }));
    } },
  { kind: 'bias summed over the units', causes: ['wrong_sum'], fits: (site) => ofBias(site) && site.outputs > 1,
    layer: (inner, { tensor }) => after(inner, tensor, ({ data }, { gradOutput }) => {
      const { rows, columns } = rowsOf(gradOutput);
      for (let j = 0; j < data.length; j++) {
        data[j] = 0;
        for (let k = 0; k < columns; k++) data[j] += gradOutput.data[(j % rows) * columns + k];
      }
    }) },
  { kind: 'samples paired with the wrong gradient', causes: ['samples_mixed'], fits: (site) => ofWeight(site) && site.batch > 1,
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ gradOutput, input }) => ({ gradOutput: rolled(gradOutput.data, input.shape[0]) })) },
  { kind: 'arriving gradient ignored', causes: ['upstream_ignored'], fits: ofLinear,
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ gradOutput }) => ({ gradOutput: gradOutput.data.slice().fill(1) })) },
  { kind: 'input ignored', causes: ['input_ignored'], fits: ofWeight,
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ input }) => ({ input: input.data.slice().fill(1) })) },
  { kind: 'output in place of the input', causes: ['derivative_at_output'], fits: (site) => ofWeight(site) && isSquare(site),
    layer: (inner, { tensor }) => madeFrom(inner, tensor, ({ output }) => ({ input: output.data.slice() })) },
  { kind: 'transposed', causes: ['transposed'], fits: (site) => ofWeight(site) && site.inputs > 1 && site.outputs > 1,
    layer: (inner, { tensor, inputs: n, outputs: m }) => after(inner, tensor, ({ data }) => {
      const before = data.slice();
      for (let i = 0; i < data.length; i++) data[i] = before[(i % m) * n + Math.floor(i / m)];
    }) },
  { kind: 'weights as in forward, not transposed', causes: ['not_transposed'], fits: (site) => site.kind === 'linear' && site.tensor === 'input' && isSquare(site) && site.inputs > 1,
    layer: (inner) => after(inner, 'input', (gradient, { kernels, gradOutput, parameters }) => kernels.matmulTransposedB(gradient, gradOutput, parameters.weight, false)) },
];

const PENALTIES: readonly Fault[] = [
  { kind: 'penalty not in the gradient', causes: ['penalty_missing'], fits: (site) => ofWeight(site) && (site.penalty?.l2 ?? 0) > 0 && site.penalty?.l1 === 0,
    layer: (inner, { tensor, penalty }) => after(inner, tensor, ({ data }, { parameters }) => data.forEach((_, i) => (data[i] -= (penalty?.l2 ?? 0) * parameters[tensor].data[i]))) },
  { kind: 'weight decay that the loss does not have', causes: ['weights_added'], fits: (site) => ofWeight(site) && !site.penalty,
    layer: (inner, { tensor }, random) => {
      const decay = random.uniform(0.01, 0.3);
      return after(inner, tensor, ({ data }, { parameters }) => data.forEach((_, i) => (data[i] += decay * parameters[tensor].data[i])));
    } },
];

const SMOOTH = ['tanh', 'sigmoid', 'gelu', 'silu', 'softplus', 'elu'] as const satisfies readonly LayerKind[];

const DERIVATIVES: readonly Fault[] = [
  { kind: 'derivative missing', causes: ['derivative_missing'], fits: (site) => isElementwise(site) || isOf('softmax', 'log_softmax', 'dropout')(site), layer: (inner) => slope(inner, (dy) => dy) },
  { kind: 'derivative at the output', causes: ['derivative_at_output'], fits: (site) => isOf(...SMOOTH)(site),
    layer: (inner) => madeFrom(inner, 'input', (context) => ({ input: context.output.data.slice(), output: forwardOf(inner, context, context.output.data.slice()).slice() })) },
  { kind: 'formula of the output, given the input', causes: ['derivative_of_output_at_input'], fits: isOf('tanh', 'sigmoid'),
    layer: (inner) => madeFrom(inner, 'input', ({ input }) => ({ output: input.data.slice() })) },
  { kind: 'derivative twice', causes: ['derivative_twice'], fits: isOf(...SMOOTH),
    layer: (inner) => {
      const derivative = madeFrom(inner, 'input', ({ gradOutput }) => ({ gradOutput: gradOutput.data.slice().fill(1) }));
      return after(inner, 'input', ({ data }, context) => {
        const once = data.slice();
        derivative.backward(context);
        for (let i = 0; i < data.length; i++) data[i] *= once[i];
      });
    } },
  { kind: 'divided by the derivative', causes: ['derivative_inverted', 'wrong_derivative'], fits: isOf('tanh', 'sigmoid', 'softplus', 'elu'),
    layer: (inner) => after(inner, 'input', ({ data }, { gradOutput }) => data.forEach((value, i) => (data[i] = value === 0 ? 0 : gradOutput.data[i] ** 2 / value))) },
  { kind: 'derivative of another function', causes: ['derivative_of_another', 'wrong_derivative'], fits: isOf(...SMOOTH),
    layer: (inner, { kind }, random) => {
      const others = SMOOTH.filter((other) => other !== kind);
      const other = layers[others[random.below(others.length)]] as LayerDefinition;
      const options = other.options.parse({});
      return { ...inner, backward: (context) => other.backward({ ...context, options }) };
    } },
  { kind: 'arriving gradient ignored by an activation', causes: ['upstream_ignored'], fits: isElementwise,
    layer: (inner) => madeFrom(inner, 'input', ({ gradOutput }) => ({ gradOutput: gradOutput.data.slice().fill(1) })) },
  { kind: 'options ignored by backward', causes: ['options_ignored', 'wrong_derivative', 'factor'], fits: isOf('leaky_relu', 'elu', 'softplus', 'relu'),
    layer: (inner) => ({ ...inner, backward: (context) => inner.backward({ ...context, options: inner.options.parse({}) }) }) },
  { kind: 'masked by the gradient, not the input', causes: ['masked_by_gradient'], fits: isOf('relu'), layer: (inner) => slope(inner, (dy) => Math.max(0, dy)) },
  { kind: 'mask the wrong way round', causes: ['mask_inverted'], fits: isOf('relu'), layer: (inner) => slope(inner, (dy, x) => (x > 0 ? 0 : dy)) },
  { kind: 'diagonal of the Jacobian only', causes: ['diagonal_only'], fits: isOf('softmax'), layer: (inner) => slope(inner, (dy, _, y) => dy * y * (1 - y)) },
  { kind: 'sum of the softmax missing', causes: ['sum_missing', 'wrong_derivative'], fits: isOf('softmax'), layer: (inner) => slope(inner, (dy, _, y) => dy * y) },
  { kind: 'a fresh mask on the way back', causes: ['not_repeatable'], needs: 'dropout', fits: isOf('dropout'),
    layer: (inner, _, random) => ({
      ...inner,
      backward(context) {
        const drawn = context.drawn && copyOf(context.kernels, context.drawn);
        if (drawn) inner.draw?.(drawn, random, context.options);
        inner.backward({ ...context, drawn });
      },
    }) },
  { kind: 'mask not scaled on the way back', causes: ['factor'], needs: 'dropout', fits: isOf('dropout'),
    layer: (inner) => after(inner, 'input', ({ data }, { drawn }) => data.forEach((value, i) => (data[i] = value / (drawn?.data[i] || 1)))) },
];

/** A copy of what the call before was given; of the same length, however many samples that had. */
const memory = (): ((now: Values) => Values) => {
  let last: Values | null = null;
  return (now) => {
    const before = last ?? now;
    last = now.slice();
    return now.map((_, i) => before[i % before.length]);
  };
};

const KEPT: readonly Fault[] = [
  { kind: 'input of the step before', causes: ['from_earlier_call'], fits: (site) => ofWeight(site) || isOf('relu', 'gelu', 'silu', 'softplus', 'elu')(site),
    layer: (inner, { tensor }) => {
      const before = memory();
      return madeFrom(inner, tensor, ({ input }) => ({ input: before(input.data) }));
    } },
  { kind: 'arriving gradient of the step before', causes: ['from_earlier_call'], fits: ({ kind, tensor }) => kind !== 'loss' && tensor !== 'prediction',
    layer: (inner, { tensor }) => {
      const before = memory();
      return madeFrom(inner, tensor, ({ gradOutput }) => ({ gradOutput: before(gradOutput.data) }));
    } },
  { kind: 'result of the step before', causes: ['from_earlier_call'], fits: ({ kind }) => kind !== 'loss',
    layer: (inner, { tensor }) => {
      const before = memory();
      return after(inner, tensor, ({ data }) => data.set(before(data)));
    } },
  { kind: 'gradients of the steps before never cleared', causes: ['accumulated'], fits: (site) => ofLinear(site),
    layer: (inner, { tensor }) => {
      let sum: Values | null = null;
      return after(inner, tensor, ({ data }) => {
        const before = sum;
        if (before) data.forEach((value, i) => (data[i] = value + before[i]));
        sum = data.slice();
      });
    } },
  { kind: 'backward run more than once', causes: ['factor'], fits: ofLinear,
    layer: (inner, { tensor }, random) => {
      const times = 3 + random.below(3);
      return after(inner, tensor, ({ data }) => data.forEach((value, i) => (data[i] = times * value)));
    } },
  { kind: 'backward overwrites its input', causes: ['argument_changed'], fits: ({ kind, tensor }) => kind === 'linear' && tensor === 'input',
    layer: (inner, { tensor }, random) => {
      const by = random.uniform(0.1, 0.7);
      return after(inner, tensor, (_, { input: { data } }) => data.forEach((value, i) => (data[i] = by * value)));
    } },
  { kind: 'forward overwrites its input', causes: ['argument_changed'], fits: ({ kind, tensor }) => tensor === 'input' && (kind === 'relu' || kind === 'gelu' || kind === 'silu'),
    layer: (inner) => ({
      ...inner,
      forward(context) {
        inner.forward(context);
        context.input.data.set(context.output.data);
      },
    }) },
];

const LOSSES: readonly Fault[] = [
  { kind: 'targets ignored', causes: ['target_ignored', 'missing'], fits: ({ kind }) => kind === 'loss',
    loss: (inner) => ({ ...inner, gradient(context, out) {
      const target = copyOf(context.kernels, context.target);
      target.data.fill(0);
      inner.gradient({ ...context, target }, out);
    } }) },
  { kind: 'targets of the wrong samples', causes: ['samples_mixed'], fits: ({ kind, batch }) => kind === 'loss' && batch > 1,
    loss: (inner) => ({ ...inner, gradient(context, out) {
      const target = copyOf(context.kernels, context.target);
      target.data.set(rolled(context.target.data.slice(), target.shape[0]));
      inner.gradient({ ...context, target }, out);
    } }) },
];

export const OF_LAYERS: readonly Fault[] = [...SUMS, ...PENALTIES, ...DERIVATIVES, ...KEPT, ...LOSSES];
