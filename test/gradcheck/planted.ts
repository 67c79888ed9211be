// Wrong backward code of many kinds, planted into one layer or the loss of a random network, with the cause that a
// diagnosis must name. Tests take one network of each kind, the bench takes many.
import type { BackwardContext, LayerDefinition } from '../../src/engine/layers/layer';
import type { LayerKind } from '../../src/engine/layers';
import { losses } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import type { Diagnosis } from '../../src/gradcheck';
import { checkNet, layerOf, type LayerRecipe, linear, makeNet, type Net, type NetRecipe } from './nets';

type Context = BackwardContext<unknown>;
type Spoil = (context: Context) => void;
type Cause = Diagnosis['cause'];

export interface Planted {
  readonly name: string;
  /** The layer that is spoiled, or the loss. */
  readonly at: LayerKind | 'loss';
  /** Of which tensor the gradient is wrong. */
  readonly tensor: string;
  readonly causes: readonly Cause[];
  /** For one network: what the layer's backward does in place of, or after its own. */
  readonly make: (random: Random) => Partial<LayerDefinition>;
}

/** Spoils what the layer's own backward has written. */
const after = (kind: LayerKind, spoil: Spoil): Partial<LayerDefinition> => ({
  backward(context) {
    layerOf(kind).backward(context);
    spoil(context);
  },
});

const change = (tensor: Tensor | null, by: (value: number, i: number, before: Tensor['data']) => number): void => {
  if (!tensor) return;
  const before = tensor.data.slice();
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = by(before[i], i, before);
};

/** dx written anew from dy, x and y at each place. */
const slope = (by: (dy: number, x: number, y: number) => number): Partial<LayerDefinition> => ({
  backward({ gradInput, gradOutput, input, output }) {
    if (gradInput) for (let i = 0; i < gradInput.data.length; i++) gradInput.data[i] = by(gradOutput.data[i], input.data[i], output.data[i]);
  },
});

const weight = ({ gradParameters }: Context): Tensor => gradParameters.weight;
const bias = ({ gradParameters }: Context): Tensor => gradParameters.bias;
const input = ({ gradInput }: Context): Tensor | null => gradInput;
const width = ({ gradOutput, input: x }: Context): number => gradOutput.data.length / x.shape[0];

/** The same fault for the gradient of a weight, of a bias, and of what is handed back. */
function anywhere(name: string, causes: readonly Cause[], by: (context: Context, value: number, i: number, before: Tensor['data']) => number): Planted[] {
  const places = [['weight', weight], ['bias', bias], ['input', input]] as const;
  return places.map(([tensor, of]) => ({
    name: `${name} (${tensor})`, at: 'linear', tensor, causes,
    make: () => after('linear', (context) => change(of(context), (value, i, before) => by(context, value, i, before))),
  }));
}

/** Faults that have nothing to do with what the layer computes, in what an activation hands back. */
const handedBack = (at: LayerKind): Planted[] => {
  const faults: readonly (readonly [string, readonly Cause[], (value: number, i: number, before: Tensor['data']) => number])[] = [
    ['sign flipped', ['sign'], (value) => -value],
    ['three times', ['factor'], (value) => 3 * value],
    ['missing', ['missing'], () => 0],
    ['one per cent too much', ['factor'], (value) => 1.01 * value],
    ['reversed', ['reversed', 'permuted'], (_, i, before) => before[before.length - 1 - i]],
    ['infinite', ['not_finite'], (value) => value / 0],
    ['cut off', ['clipped'], (value) => Math.max(-0.004, Math.min(0.004, value))],
  ];
  return faults.map(([name, causes, by]) => ({
    name: `${name} (${at})`, at, tensor: 'input', causes, make: () => after(at, (context) => change(context.gradInput, by)),
  }));
};

const activation = (name: string, at: LayerKind, cause: Cause, by: (dy: number, x: number, y: number) => number): Planted => ({
  name: `${name} (${at})`, at, tensor: 'input', causes: [cause], make: () => slope(by),
});

/** Only some samples reach the gradients of the parameters. */
const someSamples = (name: string, tensor: 'weight' | 'bias', cause: Cause, keep: (sample: number, samples: number) => boolean): Planted => ({
  name: `${name} (${tensor})`, at: 'linear', tensor, causes: [cause],
  make: () => ({
    backward(context) {
      const whole = context.gradOutput.data.slice();
      const samples = context.input.shape[0];
      const other = tensor === 'weight' ? 'bias' : 'weight';
      layerOf('linear').backward(context);
      const [kept, handed] = [context.gradParameters[other].data.slice(), context.gradInput?.data.slice()];
      context.gradParameters[tensor].data.fill(0);
      change(context.gradOutput, (value, i) => (keep(Math.floor(i / width(context)), samples) ? value : 0));
      layerOf('linear').backward(context);
      context.gradParameters[other].data.set(kept);
      if (handed) context.gradInput?.data.set(handed);
      context.gradOutput.data.set(whole);
    },
  }),
});

const lossFault = (name: string, causes: readonly Cause[], by: (value: number, prediction: Tensor, i: number) => number): Planted => ({
  name: `${name} (loss)`, at: 'loss', tensor: 'prediction', causes,
  make: () => ({ backward: ({ gradOutput, output }) => change(gradOutput, (value, i) => by(value, output, i)) }),
});

export const PLANTED: readonly Planted[] = [
  ...anywhere('sign flipped', ['sign'], (_, value) => -value),
  ...anywhere('twice', ['factor'], (_, value) => 2 * value),
  ...anywhere('any factor', ['factor'], (_, value) => 0.731 * value),
  ...anywhere('divided by the batch', ['factor'], ({ input: x }, value) => value / x.shape[0]),
  ...anywhere('times the units', ['factor'], (context, value) => width(context) * value),
  ...anywhere('missing', ['missing'], () => 0),
  ...anywhere('not a number', ['not_finite'], (_, value, i) => (i === 0 ? NaN : value)),
  ...anywhere('one off', ['shifted', 'permuted'], (_, _value, i, before) => before[(i + 1) % before.length]),
  ...anywhere('reversed', ['reversed', 'permuted'], (_, _value, i, before) => before[before.length - 1 - i]),
  ...anywhere('absolute value', ['absolute_value'], (_, value) => Math.abs(value)),
  ...anywhere('constant added', ['constant_added'], (_, value) => value + 0.05),
  ...anywhere('every second one', ['single_entries'], (_, value, i) => (i % 2 === 0 ? value : 0)),
  {
    name: 'transposed (weight)', at: 'linear', tensor: 'weight', causes: ['transposed'],
    make: () => after('linear', (context) => {
      const { shape: [m, n] } = weight(context);
      change(weight(context), (_, i, before) => before[(i % m) * n + Math.floor(i / m)]);
    }),
  },
  {
    name: 'one entry flipped (weight)', at: 'linear', tensor: 'weight', causes: ['single_entries'],
    make: (random) => {
      const at = random.uniform();
      return after('linear', (context) => change(weight(context), (value, i, { length }) => (i === Math.floor(at * length) ? -value : value)));
    },
  },
  {
    name: 'one row missing (weight)', at: 'linear', tensor: 'weight', causes: ['single_entries'],
    make: () => after('linear', (context) => change(weight(context), (value, i) => (i < weight(context).shape[1] ? 0 : value))),
  },
  {
    name: 'rows swapped (weight)', at: 'linear', tensor: 'weight', causes: ['permuted', 'reversed', 'shifted'],
    make: () => after('linear', (context) => {
      const n = weight(context).shape[1];
      change(weight(context), (value, i, before) => (i < 2 * n ? before[(i + n) % (2 * n)] : value));
    }),
  },
  {
    name: 'decay added (weight)', at: 'linear', tensor: 'weight', causes: ['weights_added'],
    make: () => after('linear', (context) => change(weight(context), (value, i) => value + 0.1 * context.parameters.weight.data[i])),
  },
  {
    name: 'weights not transposed', at: 'linear', tensor: 'input', causes: ['not_transposed'],
    make: () => after('linear', ({ kernels, gradInput, gradOutput, parameters }) => {
      if (gradInput && gradInput.data.length === gradOutput.data.length) kernels.matmulTransposedB(gradInput, gradOutput, parameters.weight, false);
    }),
  },
  {
    name: 'upstream ignored (weight)', at: 'linear', tensor: 'weight', causes: ['upstream_ignored'],
    make: () => after('linear', (context) => {
      const { input: x } = context;
      const n = weight(context).shape[1];
      change(weight(context), (_, i) => {
        let sum = 0;
        for (let row = 0; row < x.shape[0]; row++) sum += x.data[row * n + (i % n)];
        return sum;
      });
    }),
  },
  {
    name: 'input of the first call kept (weight)', at: 'linear', tensor: 'weight', causes: ['from_earlier_call'],
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
  someSamples('first sample only', 'bias', 'one_sample', (sample) => sample === 0),
  someSamples('first sample only', 'weight', 'one_sample', (sample) => sample === 0),
  someSamples('last sample left out', 'weight', 'sample_missing', (sample, samples) => sample < samples - 1),
  activation('derivative missing', 'tanh', 'derivative_missing', (dy) => dy),
  activation('derivative missing', 'sigmoid', 'derivative_missing', (dy) => dy),
  activation('mask missing', 'relu', 'derivative_missing', (dy) => dy),
  activation('upstream ignored', 'tanh', 'upstream_ignored', (_dy, _x, y) => 1 - y * y),
  activation('upstream ignored', 'relu', 'upstream_ignored', (_dy, x) => (x > 0 ? 1 : 0)),
  activation('formula of the output at the input', 'tanh', 'derivative_of_output_at_input', (dy, x) => dy * (1 - x * x)),
  activation('formula of the output at the input', 'sigmoid', 'derivative_of_output_at_input', (dy, x) => dy * x * (1 - x)),
  activation('derivative at the output', 'tanh', 'derivative_at_output', (dy, _x, y) => dy * (1 - Math.tanh(y) ** 2)),
  activation('derivative of tanh', 'sigmoid', 'derivative_of_another', (dy, _x, y) => dy * (1 - y * y)),
  activation('derivative twice', 'tanh', 'derivative_twice', (dy, _x, y) => dy * (1 - y * y) ** 2),
  activation('masked by the gradient', 'relu', 'masked_by_gradient', (dy) => Math.max(0, dy)),
  activation('mask the wrong way round', 'relu', 'mask_inverted', (dy, x) => (x > 0 ? 0 : dy)),
  activation('one minus the output', 'tanh', 'wrong_derivative', (dy, _x, y) => dy * (1 - y)),
  activation('the output', 'sigmoid', 'wrong_derivative', (dy, _x, y) => dy * y),
  activation('leaking', 'relu', 'wrong_derivative', (dy, x) => (x > 0 ? dy : 0.1 * dy)),
  {
    name: 'overwrites its input', at: 'linear', tensor: 'input', causes: ['argument_changed'],
    make: () => after('linear', ({ input: x }) => change(x, (value) => 0.5 * value)),
  },
  {
    name: 'forward overwrites its input', at: 'tanh', tensor: 'input', causes: ['argument_changed'],
    make: () => ({
      forward(context) {
        layerOf('tanh').forward(context);
        change(context.input, (value) => 0.5 * value);
      },
      backward: ({ gradInput, gradOutput, input: x }) => gradInput?.data.forEach((_, i, data) => (data[i] = gradOutput.data[i] * (1 - Math.tanh(x.data[i]) ** 2))),
    }),
  },
  activation('diagonal only', 'softmax', 'diagonal_only', (dy, _x, y) => dy * y * (1 - y)),
  ...(['tanh', 'sigmoid', 'relu', 'softmax', 'identity'] as const).flatMap(handedBack),
  lossFault('sign flipped', ['sign'], (value) => -value),
  lossFault('summed, not averaged', ['factor'], (value, { shape: [batch] }) => batch * value),
  lossFault('averaged over the outputs too', ['factor'], (value, { shape: [, outputs] }) => value / outputs),
];

/** 4 to 7 wide throughout, so that every fault changes something; square where a fault needs it. */
function recipeFor({ at, name }: Planted, random: Random, seed: number): NetRecipe {
  const size = (): number => 4 + random.below(4);
  const first = size();
  const kinds: readonly LayerKind[] = ['tanh', 'sigmoid', 'relu'];
  const other = (): LayerRecipe => ({ kind: kinds[random.below(kinds.length)] });
  const own: LayerRecipe = at === 'linear' || at === 'loss' ? other() : { kind: at };
  const inner = name.includes('not transposed') || random.below(2) === 0 ? first : size();
  return {
    inputs: size(), batch: 3 + random.below(6), seed, loss: random.below(2) === 0 ? 'cross_entropy' : 'mse',
    layers: [linear(first), own, linear(inner), other(), linear(3 + random.below(3))],
  };
}

/** One network with the fault; null where the fault changes nothing that anybody asks for. */
export function plant(planted: Planted, seed: number): { readonly diagnosis: Diagnosis | null; readonly right: boolean; readonly layer: string | null } | null {
  const random = new Random(seed, planted.name);
  const recipe = recipeFor(planted, random, seed);
  const at = planted.at === 'linear' ? 2 : 1;
  const spoiled = planted.make(random);
  const net = planted.at === 'loss'
    ? makeNet({ ...recipe, loss: { definition: spoiledLoss(losses[recipe.loss as 'mse'] as LossDefinition, spoiled) } })
    : makeNet({ ...recipe, layers: recipe.layers.map((layer, i) => (i === at ? { ...layer, definition: { ...layerOf(layer.kind), ...spoiled } } : layer)) });
  trainOnAnother(net, random);
  const { diagnosis, counts } = checkNet(net);
  if (counts.wrong === 0) return null;
  const layer = planted.at === 'loss' ? null : net.network.model.layers[at].name;
  const right = diagnosis !== null && diagnosis.layer === layer && diagnosis.tensor === planted.tensor && planted.causes.includes(diagnosis.cause);
  return { diagnosis, right, layer };
}

/** A step on another batch, for layers that keep something of it; the batch of before is back afterwards. */
function trainOnAnother({ pass }: Net, random: Random): void {
  const batch = pass.input.data.slice();
  change(pass.input, () => random.normal(0, 1));
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  pass.input.data.set(batch);
}

function spoiledLoss(definition: LossDefinition, { backward }: Partial<LayerDefinition>): LossDefinition {
  return {
    ...definition,
    gradient(context, out) {
      definition.gradient(context, out);
      const { kernels, options, prediction } = context;
      backward?.({ kernels, options, parameters: {}, input: prediction, output: prediction, drawn: null, buffers: {}, training: true, workspace: [], gradOutput: out, gradInput: null, gradParameters: {} });
    },
  };
}
