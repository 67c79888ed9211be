// Faults of many kinds in the backward code of one layer or the loss of a random network, with the cause that a
// diagnosis must name. Tests use one network of each kind, benchmarks many.
import type { Diagnosis } from '../../src/protocol/check-report';
import type { BackwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import type { LayerKind } from '../../src/engine/layers';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import { checkNet, layerOf, type LayerRecipe, linear, makeNet, type Net, type NetRecipe } from './nets';

type Context = BackwardContext<unknown>;
type Corruption = (context: Context) => void;
type Cause = Diagnosis['cause'];

export interface InjectedFault {
  readonly name: string;
  /** The layer to corrupt, or the loss. */
  readonly at: LayerKind | 'loss';
  /** The tensor whose gradient is wrong. */
  readonly tensor: string;
  readonly causes: readonly Cause[];
  /** Created for one network: replaces the layer's backward, or runs after it. */
  readonly make: (random: Random) => Partial<LayerDefinition>;
}

/** Corrupts what the layer's own backward has written. */
const afterBackward = (kind: LayerKind, corrupt: Corruption): Partial<LayerDefinition> => ({
  backward(context) {
    layerOf(kind).backward(context);
    corrupt(context);
  },
});

const modify = (tensor: Tensor | null, by: (value: number, i: number, before: Tensor['data']) => number): void => {
  if (!tensor) return;
  const before = tensor.data.slice();
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = by(before[i], i, before);
};

/** dx recomputed from dy, x and y, element by element. */
const pointwiseBackward = (by: (dy: number, x: number, y: number) => number): Partial<LayerDefinition> => ({
  backward({ gradInput, gradOutput, input, output }) {
    if (gradInput)
      for (let i = 0; i < gradInput.data.length; i++)
        gradInput.data[i] = by(gradOutput.data[i], input.data[i], output.data[i]);
  },
});

const weight = ({ gradParameters }: Context): Tensor => gradParameters.weight;
const bias = ({ gradParameters }: Context): Tensor => gradParameters.bias;
const input = ({ gradInput }: Context): Tensor | null => gradInput;
const width = ({ gradOutput, input: x }: Context): number => gradOutput.data.length / x.shape[0];

/** The same fault for the gradient of a weight, of a bias, and of the input. */
function forEachTensor(
  name: string,
  causes: readonly Cause[],
  by: (context: Context, value: number, i: number, before: Tensor['data']) => number,
): InjectedFault[] {
  const places = [
    ['weight', weight],
    ['bias', bias],
    ['input', input],
  ] as const;
  return places.map(([tensor, of]) => ({
    name: `${name} (${tensor})`,
    at: 'linear',
    tensor,
    causes,
    make: () =>
      afterBackward('linear', (context) => modify(of(context), (value, i, before) => by(context, value, i, before))),
  }));
}

/** Faults in the input gradient of an activation that do not depend on what the layer computes. */
const inputGradientFaults = (at: LayerKind): InjectedFault[] => {
  const faults: readonly (readonly [
    string,
    readonly Cause[],
    (value: number, i: number, before: Tensor['data']) => number,
  ])[] = [
    ['sign flipped', ['sign'], (value) => -value],
    ['three times', ['factor'], (value) => 3 * value],
    ['missing', ['missing'], () => 0],
    ['one per cent too much', ['factor'], (value) => 1.01 * value],
    ['reversed', ['reversed', 'permuted'], (_, i, before) => before[before.length - 1 - i]],
    ['infinite', ['not_finite'], (value) => value / 0],
    ['cut off', ['clipped'], (value) => Math.max(-0.004, Math.min(0.004, value))],
  ];
  return faults.map(([name, causes, by]) => ({
    name: `${name} (${at})`,
    at,
    tensor: 'input',
    causes,
    make: () => afterBackward(at, (context) => modify(context.gradInput, by)),
  }));
};

const activationFault = (
  name: string,
  at: LayerKind,
  cause: Cause,
  by: (dy: number, x: number, y: number) => number,
): InjectedFault => ({
  name: `${name} (${at})`,
  at,
  tensor: 'input',
  causes: [cause],
  make: () => pointwiseBackward(by),
});

/** Only some samples contribute to the gradients of the parameters. */
const sampleFault = (
  name: string,
  tensor: 'weight' | 'bias',
  cause: Cause,
  keep: (sample: number, samples: number) => boolean,
): InjectedFault => ({
  name: `${name} (${tensor})`,
  at: 'linear',
  tensor,
  causes: [cause],
  make: () => ({
    backward(context) {
      const whole = context.gradOutput.data.slice();
      const samples = context.input.shape[0];
      const other = tensor === 'weight' ? 'bias' : 'weight';
      layerOf('linear').backward(context);
      const [kept, handed] = [context.gradParameters[other].data.slice(), context.gradInput?.data.slice()];
      context.gradParameters[tensor].data.fill(0);
      modify(context.gradOutput, (value, i) => (keep(Math.floor(i / width(context)), samples) ? value : 0));
      layerOf('linear').backward(context);
      context.gradParameters[other].data.set(kept);
      if (handed) context.gradInput?.data.set(handed);
      context.gradOutput.data.set(whole);
    },
  }),
});

const lossFault = (
  name: string,
  causes: readonly Cause[],
  by: (value: number, prediction: Tensor, i: number) => number,
): InjectedFault => ({
  name: `${name} (loss)`,
  at: 'loss',
  tensor: 'prediction',
  causes,
  make: () => ({ backward: ({ gradOutput, output }) => modify(gradOutput, (value, i) => by(value, output, i)) }),
});

export const INJECTED_FAULTS: readonly InjectedFault[] = [
  ...forEachTensor('sign flipped', ['sign'], (_, value) => -value),
  ...forEachTensor('twice', ['factor'], (_, value) => 2 * value),
  ...forEachTensor('any factor', ['factor'], (_, value) => 0.731 * value),
  ...forEachTensor('divided by the batch', ['factor'], ({ input: x }, value) => value / x.shape[0]),
  ...forEachTensor('times the units', ['factor'], (context, value) => width(context) * value),
  ...forEachTensor('missing', ['missing'], () => 0),
  ...forEachTensor('not a number', ['not_finite'], (_, value, i) => (i === 0 ? NaN : value)),
  ...forEachTensor('one off', ['shifted', 'permuted'], (_, _value, i, before) => before[(i + 1) % before.length]),
  ...forEachTensor('reversed', ['reversed', 'permuted'], (_, _value, i, before) => before[before.length - 1 - i]),
  ...forEachTensor('absolute value', ['absolute_value'], (_, value) => Math.abs(value)),
  ...forEachTensor('constant added', ['constant_added'], (_, value) => value + 0.05),
  ...forEachTensor('every second one', ['single_entries'], (_, value, i) => (i % 2 === 0 ? value : 0)),
  {
    name: 'transposed (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['transposed'],
    make: () =>
      afterBackward('linear', (context) => {
        const {
          shape: [m, n],
        } = weight(context);
        modify(weight(context), (_, i, before) => before[(i % m) * n + Math.floor(i / m)]);
      }),
  },
  {
    name: 'one entry flipped (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['single_entries'],
    make: (random) => {
      const at = random.uniform();
      return afterBackward('linear', (context) =>
        modify(weight(context), (value, i, { length }) => (i === Math.floor(at * length) ? -value : value)),
      );
    },
  },
  {
    name: 'one row missing (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['single_entries'],
    make: () =>
      afterBackward('linear', (context) =>
        modify(weight(context), (value, i) => (i < weight(context).shape[1] ? 0 : value)),
      ),
  },
  {
    name: 'rows swapped (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['permuted', 'reversed', 'shifted'],
    make: () =>
      afterBackward('linear', (context) => {
        const n = weight(context).shape[1];
        modify(weight(context), (value, i, before) => (i < 2 * n ? before[(i + n) % (2 * n)] : value));
      }),
  },
  {
    name: 'decay added (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['weights_added'],
    make: () =>
      afterBackward('linear', (context) =>
        modify(weight(context), (value, i) => value + 0.1 * context.parameters.weight.data[i]),
      ),
  },
  {
    name: 'weights not transposed',
    at: 'linear',
    tensor: 'input',
    causes: ['not_transposed'],
    make: () =>
      afterBackward('linear', ({ kernels, gradInput, gradOutput, parameters }) => {
        if (gradInput && gradInput.data.length === gradOutput.data.length)
          kernels.matmulTransposedB(gradInput, gradOutput, parameters.weight, false);
      }),
  },
  {
    name: 'upstream ignored (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['upstream_ignored'],
    make: () =>
      afterBackward('linear', (context) => {
        const { input: x } = context;
        const n = weight(context).shape[1];
        modify(weight(context), (_, i) => {
          let sum = 0;
          for (let row = 0; row < x.shape[0]; row++) sum += x.data[row * n + (i % n)];
          return sum;
        });
      }),
  },
  {
    name: 'input of the first call kept (weight)',
    at: 'linear',
    tensor: 'weight',
    causes: ['from_earlier_call'],
    make: () => {
      let kept: Tensor['data'] | null = null;
      return {
        backward(context) {
          kept ??= context.input.data.slice();
          const now = context.input.data.slice();
          layerOf('linear').backward(context);
          const { gradInput } = context;
          const handed = gradInput?.data.slice();
          weight(context).data.fill(0);
          const biases = bias(context).data.slice();
          context.input.data.set(now.map((_, i) => kept?.[i % kept.length] ?? 0));
          layerOf('linear').backward(context);
          bias(context).data.set(biases);
          context.input.data.set(now);
          if (handed) gradInput?.data.set(handed);
        },
      };
    },
  },
  sampleFault('first sample only', 'bias', 'one_sample', (sample) => sample === 0),
  sampleFault('first sample only', 'weight', 'one_sample', (sample) => sample === 0),
  sampleFault('last sample left out', 'weight', 'sample_missing', (sample, samples) => sample < samples - 1),
  activationFault('derivative missing', 'tanh', 'derivative_missing', (dy) => dy),
  activationFault('derivative missing', 'sigmoid', 'derivative_missing', (dy) => dy),
  activationFault('mask missing', 'relu', 'derivative_missing', (dy) => dy),
  activationFault('upstream ignored', 'tanh', 'upstream_ignored', (_dy, _x, y) => 1 - y * y),
  activationFault('upstream ignored', 'relu', 'upstream_ignored', (_dy, x) => (x > 0 ? 1 : 0)),
  activationFault(
    'formula of the output at the input',
    'tanh',
    'derivative_of_output_at_input',
    (dy, x) => dy * (1 - x * x),
  ),
  activationFault(
    'formula of the output at the input',
    'sigmoid',
    'derivative_of_output_at_input',
    (dy, x) => dy * x * (1 - x),
  ),
  activationFault(
    'derivative at the output',
    'tanh',
    'derivative_at_output',
    (dy, _x, y) => dy * (1 - Math.tanh(y) ** 2),
  ),
  activationFault('derivative of tanh', 'sigmoid', 'derivative_of_another', (dy, _x, y) => dy * (1 - y * y)),
  activationFault('derivative twice', 'tanh', 'derivative_twice', (dy, _x, y) => dy * (1 - y * y) ** 2),
  activationFault('masked by the gradient', 'relu', 'masked_by_gradient', (dy) => Math.max(0, dy)),
  activationFault('mask the wrong way round', 'relu', 'mask_inverted', (dy, x) => (x > 0 ? 0 : dy)),
  activationFault('one minus the output', 'tanh', 'wrong_derivative', (dy, _x, y) => dy * (1 - y)),
  activationFault('the output', 'sigmoid', 'value_for_derivative', (dy, _x, y) => dy * y),
  activationFault('leaking', 'relu', 'wrong_derivative', (dy, x) => (x > 0 ? dy : 0.1 * dy)),
  {
    name: 'overwrites its input',
    at: 'linear',
    tensor: 'input',
    causes: ['argument_changed'],
    make: () => afterBackward('linear', ({ input: x }) => modify(x, (value) => 0.5 * value)),
  },
  {
    name: 'forward overwrites its input',
    at: 'tanh',
    tensor: 'input',
    causes: ['argument_changed'],
    make: () => ({
      forward(context) {
        layerOf('tanh').forward(context);
        modify(context.input, (value) => 0.5 * value);
      },
      backward: ({ gradInput, gradOutput, input: x }) =>
        gradInput?.data.forEach((_, i, data) => (data[i] = gradOutput.data[i] * (1 - Math.tanh(x.data[i]) ** 2))),
    }),
  },
  activationFault('diagonal only', 'softmax', 'diagonal_only', (dy, _x, y) => dy * y * (1 - y)),
  ...(['tanh', 'sigmoid', 'relu', 'softmax', 'identity'] as const).flatMap(inputGradientFaults),
  lossFault('sign flipped', ['sign'], (value) => -value),
  lossFault('summed, not averaged', ['factor'], (value, { shape: [batch] }) => batch * value),
  lossFault('averaged over the outputs too', ['factor'], (value, { shape: [, outputs] }) => value / outputs),
];

/** Widths of 4 to 7, so that every fault has an effect; square if a fault requires it. */
function drawRecipe({ at, name }: InjectedFault, random: Random, seed: number): NetRecipe {
  const size = (): number => 4 + random.integerBelow(4);
  const first = size();
  const kinds: readonly LayerKind[] = ['tanh', 'sigmoid', 'relu'];
  const other = (): LayerRecipe => ({ kind: kinds[random.integerBelow(kinds.length)] });
  const own: LayerRecipe = at === 'linear' || at === 'loss' ? other() : { kind: at };
  const inner = name.includes('not transposed') || random.integerBelow(2) === 0 ? first : size();
  return {
    inputs: size(),
    batch: 3 + random.integerBelow(6),
    seed,
    loss: random.integerBelow(2) === 0 ? 'cross_entropy' : 'mse',
    layers: [linear(first), own, linear(inner), other(), linear(3 + random.integerBelow(3))],
  };
}

/** One network with the fault; null if the fault has no visible effect. */
export function injectFault(
  fault: InjectedFault,
  seed: number,
): { readonly diagnosis: Diagnosis | null; readonly right: boolean; readonly layer: string | null } | null {
  const random = new Random(seed, fault.name);
  const recipe = drawRecipe(fault, random, seed);
  const at = fault.at === 'linear' ? 2 : 1;
  const spoiled = fault.make(random);
  const net =
    fault.at === 'loss'
      ? makeNet({
          ...recipe,
          loss: { definition: withFaultyLoss(losses[recipe.loss as 'mse'] as LossDefinition, spoiled) },
        })
      : makeNet({
          ...recipe,
          layers: recipe.layers.map((layer, i) =>
            i === at ? { ...layer, definition: { ...layerOf(layer.kind), ...spoiled } } : layer,
          ),
        });
  trainOnAnotherBatch(net, random);
  const { diagnosis, counts } = checkNet(net);
  if (counts.wrong === 0) return null;
  const layer = fault.at === 'loss' ? null : net.network.model.layers[at].name;
  const right =
    diagnosis !== null &&
    diagnosis.layer === layer &&
    diagnosis.tensor === fault.tensor &&
    fault.causes.includes(diagnosis.cause);
  return { diagnosis, right, layer };
}

/** Trains a step on another batch, for layers that keep state, and then restores the previous batch. */
function trainOnAnotherBatch({ pass }: Net, random: Random): void {
  const batch = pass.input.data.slice();
  modify(pass.input, () => random.normal(0, 1));
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  pass.input.data.set(batch);
}

function withFaultyLoss(definition: LossDefinition, { backward }: Partial<LayerDefinition>): LossDefinition {
  return {
    ...definition,
    gradient(context, out) {
      definition.gradient(context, out);
      const { kernels, options, prediction } = context;
      backward?.({
        kernels,
        options,
        parameters: {},
        input: prediction,
        otherInputs: [],
        output: prediction,
        mask: null,
        buffers: {},
        training: true,
        workspace: [],
        gradOutput: out,
        gradInput: null,
        gradOtherInputs: [],
        gradParameters: {},
        internals: {},
        gradInternals: {},
      });
    },
  };
}
