// Faults in specific layers and losses: sums over the batch, derivatives, masks, penalties.
import { layers, type LayerKind } from '../../../src/engine/layers';
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { layerOf } from '../nets';
import {
  afterBackward,
  copyOf,
  type Fault,
  withBackwardOverrides,
  rowsOf,
  type Site,
  pointwiseBackward,
  type Values,
} from './fault';

const isLinearParameter = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor !== 'input';
const isLinearWeight = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor === 'weight';
const isLinearBias = ({ kind, tensor }: Site): boolean => kind === 'linear' && tensor === 'bias';
const isSquare = ({ inputs, outputs }: Site): boolean => inputs === outputs;
const LINEAR_KINDS: readonly LayerKind[] = ['linear', 'identity', 'flatten', 'dropout'];
const isElementwise = ({ kind, tensor }: Site): boolean =>
  tensor === 'input' &&
  kind !== 'loss' &&
  !LINEAR_KINDS.includes(kind) &&
  layerOf(kind).jacobianStructure === 'elementwise';
const isInputOf =
  (...kinds: readonly Site['kind'][]) =>
  ({ kind, tensor }: Site): boolean =>
    tensor === 'input' && kinds.includes(kind);

const keepSamples = (data: Values, samples: number, keep: (sample: number) => boolean): Values => {
  const width = data.length / samples;
  return data.map((value, i) => (keep(Math.floor(i / width)) ? value : 0));
};

/** Gives each sample the values of the next one. */
const rollSamples = (data: Values, samples: number): Values => {
  const width = data.length / samples;
  return data.map((_, i) => data[(i + width) % data.length]);
};

/** The output of a layer for an input. */
function runForward(
  { forward }: LayerDefinition,
  context: Parameters<LayerDefinition['forward']>[0],
  values: Values,
): Values {
  const [input, output] = [copyOf(context.kernels, context.input), copyOf(context.kernels, context.output)];
  input.data.set(values);
  forward({ ...context, input, output });
  return output.data;
}

const BATCH_SUM_FAULTS: readonly Fault[] = [
  {
    kind: 'bias of the first sample only',
    causes: ['one_sample'],
    fits: (site) => isLinearBias(site) && site.batch > 1,
    layer: (inner, { tensor }) =>
      withBackwardOverrides(inner, tensor, ({ gradOutput, input }) => ({
        gradOutput: keepSamples(gradOutput.data, input.shape[0], (sample) => sample === 0),
      })),
  },
  {
    kind: 'the last sample overwrites the others',
    causes: ['one_sample'],
    fits: (site) => isLinearParameter(site) && site.batch > 1,
    layer: (inner, { tensor }) =>
      withBackwardOverrides(
        inner,
        tensor,
        ({
          gradOutput,
          input: {
            shape: [n],
          },
        }) => ({ gradOutput: keepSamples(gradOutput.data, n, (sample) => sample === n - 1) }),
      ),
  },
  {
    kind: 'one sample left out',
    causes: ['sample_missing'],
    fits: (site) => isLinearParameter(site) && site.batch > 2,
    layer: (inner, { tensor }, random) => {
      const first = random.integerBelow(2) === 0;
      return withBackwardOverrides(
        inner,
        tensor,
        ({
          gradOutput,
          input: {
            shape: [n],
          },
        }) => ({ gradOutput: keepSamples(gradOutput.data, n, (sample) => sample !== (first ? 0 : n - 1)) }),
      );
    },
  },
  {
    kind: 'bias summed over the units',
    causes: ['wrong_sum'],
    fits: (site) => isLinearBias(site) && site.outputs > 1,
    layer: (inner, { tensor }) =>
      afterBackward(inner, tensor, ({ data }, { gradOutput }) => {
        const { rows, columns } = rowsOf(gradOutput);
        for (let j = 0; j < data.length; j++) {
          data[j] = 0;
          for (let k = 0; k < columns; k++) data[j] += gradOutput.data[(j % rows) * columns + k];
        }
      }),
  },
  {
    kind: 'samples paired with the wrong gradient',
    causes: ['samples_mixed'],
    fits: (site) => isLinearWeight(site) && site.batch > 1,
    layer: (inner, { tensor }) =>
      withBackwardOverrides(inner, tensor, ({ gradOutput, input }) => ({
        gradOutput: rollSamples(gradOutput.data, input.shape[0]),
      })),
  },
  {
    kind: 'arriving gradient ignored',
    causes: ['upstream_ignored'],
    fits: isLinearParameter,
    layer: (inner, { tensor }) =>
      withBackwardOverrides(inner, tensor, ({ gradOutput }) => ({ gradOutput: gradOutput.data.slice().fill(1) })),
  },
  {
    kind: 'input ignored',
    causes: ['input_ignored'],
    fits: isLinearWeight,
    layer: (inner, { tensor }) =>
      withBackwardOverrides(inner, tensor, ({ input }) => ({ input: input.data.slice().fill(1) })),
  },
  {
    kind: 'output in place of the input',
    causes: ['derivative_at_output'],
    fits: (site) => isLinearWeight(site) && isSquare(site),
    layer: (inner, { tensor }) =>
      withBackwardOverrides(inner, tensor, ({ output }) => ({ input: output.data.slice() })),
  },
  {
    kind: 'transposed',
    causes: ['transposed'],
    fits: (site) => isLinearWeight(site) && site.inputs > 1 && site.outputs > 1,
    layer: (inner, { tensor, inputs: n, outputs: m }) =>
      afterBackward(inner, tensor, ({ data }) => {
        const before = data.slice();
        for (let i = 0; i < data.length; i++) data[i] = before[(i % m) * n + Math.floor(i / m)];
      }),
  },
  {
    kind: 'weights as in forward, not transposed',
    causes: ['not_transposed'],
    fits: (site) => site.kind === 'linear' && site.tensor === 'input' && isSquare(site) && site.inputs > 1,
    layer: (inner) =>
      afterBackward(inner, 'input', (gradient, { kernels, gradOutput, parameters }) =>
        kernels.matmulTransposedB(gradient, gradOutput, parameters.weight, false),
      ),
  },
];

const PENALTY_FAULTS: readonly Fault[] = [
  {
    kind: 'penalty not in the gradient',
    causes: ['penalty_missing'],
    fits: (site) => isLinearWeight(site) && (site.penalty?.l2 ?? 0) > 0 && site.penalty?.l1 === 0,
    layer: (inner, { tensor, penalty }) =>
      afterBackward(inner, tensor, ({ data }, { parameters }) =>
        data.forEach((_, i) => (data[i] -= (penalty?.l2 ?? 0) * parameters[tensor].data[i])),
      ),
  },
  {
    kind: 'weight decay that the loss does not have',
    causes: ['weights_added'],
    fits: (site) => isLinearWeight(site) && !site.penalty,
    layer: (inner, { tensor }, random) => {
      const decay = random.uniform(0.01, 0.3);
      return afterBackward(inner, tensor, ({ data }, { parameters }) =>
        data.forEach((_, i) => (data[i] += decay * parameters[tensor].data[i])),
      );
    },
  },
];

const SMOOTH = ['tanh', 'sigmoid', 'gelu', 'silu', 'softplus', 'elu'] as const satisfies readonly LayerKind[];

const DERIVATIVE_FAULTS: readonly Fault[] = [
  {
    kind: 'derivative missing',
    causes: ['derivative_missing'],
    fits: (site) => isElementwise(site) || isInputOf('softmax', 'log_softmax', 'dropout')(site),
    layer: (inner) => pointwiseBackward(inner, (dy) => dy),
  },
  {
    kind: 'derivative at the output',
    causes: ['derivative_at_output'],
    fits: (site) => isInputOf(...SMOOTH)(site),
    layer: (inner) =>
      withBackwardOverrides(inner, 'input', (context) => ({
        input: context.output.data.slice(),
        output: runForward(inner, context, context.output.data.slice()).slice(),
      })),
  },
  {
    kind: 'formula of the output, given the input',
    causes: ['derivative_of_output_at_input'],
    fits: isInputOf('tanh', 'sigmoid'),
    layer: (inner) => withBackwardOverrides(inner, 'input', ({ input }) => ({ output: input.data.slice() })),
  },
  {
    kind: 'derivative twice',
    causes: ['derivative_twice'],
    fits: isInputOf(...SMOOTH),
    layer: (inner) => {
      const derivative = withBackwardOverrides(inner, 'input', ({ gradOutput }) => ({
        gradOutput: gradOutput.data.slice().fill(1),
      }));
      return afterBackward(inner, 'input', ({ data }, context) => {
        const once = data.slice();
        derivative.backward(context);
        for (let i = 0; i < data.length; i++) data[i] *= once[i];
      });
    },
  },
  {
    kind: 'divided by the derivative',
    causes: ['derivative_inverted', 'wrong_derivative'],
    fits: isInputOf('tanh', 'sigmoid', 'softplus', 'elu'),
    layer: (inner) =>
      afterBackward(inner, 'input', ({ data }, { gradOutput }) =>
        data.forEach((value, i) => (data[i] = value === 0 ? 0 : gradOutput.data[i] ** 2 / value)),
      ),
  },
  {
    kind: 'derivative of another function',
    causes: ['derivative_of_another', 'wrong_derivative'],
    fits: isInputOf(...SMOOTH),
    layer: (inner, { kind }, random) => {
      const others = SMOOTH.filter((other) => other !== kind);
      const other = layers[others[random.integerBelow(others.length)]] as LayerDefinition;
      const options = other.options.parse({});
      return { ...inner, backward: (context) => other.backward({ ...context, options }) };
    },
  },
  {
    kind: 'arriving gradient ignored by an activation',
    causes: ['upstream_ignored'],
    fits: isElementwise,
    layer: (inner) =>
      withBackwardOverrides(inner, 'input', ({ gradOutput }) => ({ gradOutput: gradOutput.data.slice().fill(1) })),
  },
  {
    kind: 'options ignored by backward',
    causes: ['options_ignored', 'wrong_derivative', 'factor'],
    fits: isInputOf('leaky_relu', 'elu', 'softplus', 'relu'),
    layer: (inner) => ({
      ...inner,
      backward: (context) => inner.backward({ ...context, options: inner.options.parse({}) }),
    }),
  },
  {
    kind: 'masked by the gradient, not the input',
    causes: ['masked_by_gradient'],
    fits: isInputOf('relu'),
    layer: (inner) => pointwiseBackward(inner, (dy) => Math.max(0, dy)),
  },
  {
    kind: 'mask the wrong way round',
    causes: ['mask_inverted'],
    fits: isInputOf('relu'),
    layer: (inner) => pointwiseBackward(inner, (dy, x) => (x > 0 ? 0 : dy)),
  },
  {
    kind: 'diagonal of the Jacobian only',
    causes: ['diagonal_only'],
    fits: isInputOf('softmax'),
    layer: (inner) => pointwiseBackward(inner, (dy, _, y) => dy * y * (1 - y)),
  },
  {
    kind: 'sum of the softmax missing',
    causes: ['sum_missing', 'wrong_derivative'],
    fits: isInputOf('softmax'),
    layer: (inner) => pointwiseBackward(inner, (dy, _, y) => dy * y),
  },
  {
    kind: 'a fresh mask on the way back',
    causes: ['not_repeatable'],
    requiredLayer: 'dropout',
    fits: isInputOf('dropout'),
    layer: (inner, _, random) => ({
      ...inner,
      backward(context) {
        const mask = context.mask && copyOf(context.kernels, context.mask);
        if (mask) inner.sampleMask?.(mask, random, context.options);
        inner.backward({ ...context, mask });
      },
    }),
  },
  {
    kind: 'mask not scaled on the way back',
    causes: ['factor'],
    requiredLayer: 'dropout',
    fits: isInputOf('dropout'),
    layer: (inner) =>
      afterBackward(inner, 'input', ({ data }, { mask }) =>
        data.forEach((value, i) => (data[i] = value / (mask?.data[i] || 1))),
      ),
  },
];

/** A copy of the previous call's values, resized to the current number of samples. */
const previousValues = (): ((now: Values) => Values) => {
  let last: Values | null = null;
  return (now) => {
    const before = last ?? now;
    last = now.slice();
    return now.map((_, i) => before[i % before.length]);
  };
};

const STALE_STATE_FAULTS: readonly Fault[] = [
  {
    kind: 'input of the step before',
    causes: ['from_earlier_call'],
    fits: (site) => isLinearWeight(site) || isInputOf('relu', 'gelu', 'silu', 'softplus', 'elu')(site),
    layer: (inner, { tensor }) => {
      const before = previousValues();
      return withBackwardOverrides(inner, tensor, ({ input }) => ({ input: before(input.data) }));
    },
  },
  {
    kind: 'arriving gradient of the step before',
    causes: ['from_earlier_call'],
    fits: ({ kind, tensor }) => kind !== 'loss' && tensor !== 'prediction',
    layer: (inner, { tensor }) => {
      const before = previousValues();
      return withBackwardOverrides(inner, tensor, ({ gradOutput }) => ({ gradOutput: before(gradOutput.data) }));
    },
  },
  {
    kind: 'result of the step before',
    causes: ['from_earlier_call'],
    fits: ({ kind }) => kind !== 'loss',
    layer: (inner, { tensor }) => {
      const before = previousValues();
      return afterBackward(inner, tensor, ({ data }) => data.set(before(data)));
    },
  },
  {
    kind: 'gradients of the steps before never cleared',
    causes: ['accumulated'],
    fits: (site) => isLinearParameter(site),
    layer: (inner, { tensor }) => {
      let sum: Values | null = null;
      return afterBackward(inner, tensor, ({ data }) => {
        const before = sum;
        if (before) data.forEach((value, i) => (data[i] = value + before[i]));
        sum = data.slice();
      });
    },
  },
  {
    kind: 'backward run more than once',
    causes: ['factor'],
    fits: isLinearParameter,
    layer: (inner, { tensor }, random) => {
      const times = 3 + random.integerBelow(3);
      return afterBackward(inner, tensor, ({ data }) => data.forEach((value, i) => (data[i] = times * value)));
    },
  },
  {
    kind: 'backward overwrites its input',
    causes: ['argument_changed'],
    fits: ({ kind, tensor }) => kind === 'linear' && tensor === 'input',
    layer: (inner, { tensor }, random) => {
      const by = random.uniform(0.1, 0.7);
      return afterBackward(inner, tensor, (_, { input: { data } }) =>
        data.forEach((value, i) => (data[i] = by * value)),
      );
    },
  },
  {
    kind: 'forward overwrites its input',
    causes: ['argument_changed'],
    fits: ({ kind, tensor }) => tensor === 'input' && (kind === 'relu' || kind === 'gelu' || kind === 'silu'),
    layer: (inner) => ({
      ...inner,
      forward(context) {
        inner.forward(context);
        context.input.data.set(context.output.data);
      },
    }),
  },
];

const LOSS_GRADIENT_FAULTS: readonly Fault[] = [
  {
    kind: 'targets ignored',
    causes: ['target_ignored', 'missing'],
    fits: ({ kind }) => kind === 'loss',
    loss: (inner) => ({
      ...inner,
      gradient(context, out) {
        const target = copyOf(context.kernels, context.target);
        target.data.fill(0);
        inner.gradient({ ...context, target }, out);
      },
    }),
  },
  {
    kind: 'targets of the wrong samples',
    causes: ['samples_mixed'],
    fits: ({ kind, batch }) => kind === 'loss' && batch > 1,
    loss: (inner) => ({
      ...inner,
      gradient(context, out) {
        const target = copyOf(context.kernels, context.target);
        target.data.set(rollSamples(context.target.data.slice(), target.shape[0]));
        inner.gradient({ ...context, target }, out);
      },
    }),
  },
];

export const LAYER_FAULTS: readonly Fault[] = [
  ...BATCH_SUM_FAULTS,
  ...PENALTY_FAULTS,
  ...DERIVATIVE_FAULTS,
  ...STALE_STATE_FAULTS,
  ...LOSS_GRADIENT_FAULTS,
];
