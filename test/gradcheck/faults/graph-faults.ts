// Faults in layers of sequences and in joins, and where gradients join, planted one at a time into random networks.
// Written apart from the hypotheses: a fault says what was done, and under which names it may be found.
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { ReferenceKernels } from '../../../src/engine/kernels/reference-kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { Random } from '../../../src/engine/random';
import type { CheckReport } from '../../../src/protocol/check-report';
import { checkNet, layerOf, linear, makeNet, type LayerRecipe, type NetRecipe } from '../nets';
import { type Cause, type Context, withBackwardOverrides } from './fault';

export interface GraphOutcome {
  readonly report: CheckReport;
  readonly detected: boolean;
  /** Whether the cause named first is one that was planted, at the planted layer and tensor. */
  readonly identified: boolean;
  readonly place: string;
}

/** Null if the fault changes no gradient of a parameter. */
export interface GraphFault {
  readonly kind: string;
  plant(seed: number): GraphOutcome | null;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integerBelow(from.length)];

const size = (random: Random): number => 2 + random.integerBelow(3);

type Needed = (random: Random) => LayerRecipe;

const cellOptions = (random: Random) => ({
  hidden_size: size(random),
  return: pick(random, ['all', 'last']),
  bias: random.integerBelow(4) > 0,
});

const attention: Needed = (random) => ({
  kind: 'multihead_attention',
  options: { num_heads: 2, is_causal: random.integerBelow(2) === 0 },
});

const NEEDED: Readonly<Record<string, Needed>> = {
  rnn: (random) => ({ kind: 'rnn', options: cellOptions(random) }),
  gru: (random) => ({ kind: 'gru', options: cellOptions(random) }),
  lstm: (random) => ({ kind: 'lstm', options: cellOptions(random) }),
  multihead_attention: attention,
  rms_norm: () => ({ kind: 'rms_norm' }),
  conv1d: () => ({ kind: 'conv1d', options: { out_channels: 3, kernel_size: 3, padding: 1 } }),
  positional_encoding: () => ({ kind: 'positional_encoding' }),
  prelu: () => ({ kind: 'prelu' }),
};

const JOINS: Readonly<Record<string, LayerKind>> = {
  add: 'add',
  subtract: 'subtract',
  multiply: 'multiply',
  concat: 'concat',
};

/** A sequence through the layer, behind layers with parameters and before others. */
function networkWith(random: Random, seed: number, needed: LayerRecipe): { recipe: NetRecipe; at: number } {
  const time = 3 + random.integerBelow(3);
  const before: LayerRecipe[] = [linear(4), { kind: pick(random, ['tanh', 'sigmoid'] as const) }];
  const layers: LayerRecipe[] = [...before, needed, { kind: 'tanh' }, { kind: 'flatten' }, linear(2)];
  return {
    at: before.length,
    recipe: { inputs: [time, size(random)], batch: 3 + random.integerBelow(3), seed, loss: 'mse', layers },
  };
}

/** Two branches of one output that meet in the join. */
function networkWithJoin(random: Random, seed: number, kind: LayerKind): { recipe: NetRecipe; at: number } {
  const layers: LayerRecipe[] = [
    linear(4),
    { kind: 'tanh' },
    linear(3),
    { ...linear(3), inputs: [1] },
    { kind: 'sigmoid' },
    { kind, inputs: [2, 4] },
    { kind: 'tanh' },
    linear(2),
  ];
  return { at: 5, recipe: { inputs: size(random), batch: 3 + random.integerBelow(4), seed, loss: 'mse', layers } };
}

function networkWithEmbedding(random: Random, seed: number): { recipe: NetRecipe; at: number } {
  const layers: LayerRecipe[] = [
    { kind: 'embedding', options: { num_embeddings: 4, embedding_dim: size(random) } },
    { kind: 'tanh' },
    { kind: 'flatten' },
    linear(2),
  ];
  return { at: 0, recipe: { inputs: [4 + random.integerBelow(4)], batch: 4, seed, loss: 'mse', layers } };
}

/** The gradient of a tensor of a layer: a parameter, `input`, `inputs[1]`. */
const gradientOf = ({ gradInput, gradOtherInputs, gradParameters }: Context, tensor: string): Tensor | null =>
  tensor === 'input' ? gradInput : tensor === 'inputs[1]' ? gradOtherInputs[0] : (gradParameters[tensor] ?? null);

function backprop({ network, pass }: ReturnType<typeof makeNet>): number[] {
  network.zeroGradients();
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  return network.parameters.flatMap(({ gradient }) => Array.from(gradient.data));
}

const differ = (right: readonly number[], wrong: readonly number[]): boolean =>
  right.some((g, i) => !(Math.abs(g - wrong[i]) <= Math.max(1e-6, 1e-3 * Math.max(Math.abs(g), Math.abs(wrong[i])))));

interface LayerFault {
  readonly causes: readonly Cause[];
  /** The tensors of which any may be named; by default that of the change. */
  readonly tensors: readonly string[];
  readonly corrupt: (inner: LayerDefinition) => LayerDefinition;
}

function plantInLayer({ recipe, at }: { recipe: NetRecipe; at: number }, fault: LayerFault): GraphOutcome | null {
  const { kind } = recipe.layers[at];
  const wrong: NetRecipe = {
    ...recipe,
    layers: recipe.layers.map((each, i) => (i === at ? { ...each, definition: fault.corrupt(layerOf(kind)) } : each)),
  };
  if (!differ(backprop(makeNet(recipe)), backprop(makeNet(wrong)))) return null;
  const net = makeNet(wrong);
  const report = checkNet(net);
  const { diagnosis } = report;
  const { name } = net.network.model.layers[at];
  const identified =
    diagnosis !== null &&
    diagnosis.layer === name &&
    fault.tensors.includes(diagnosis.tensor) &&
    fault.causes.includes(diagnosis.cause);
  return {
    report,
    detected: report.counts.wrong > 0 && !report.passed,
    identified,
    place: `${name}.${fault.tensors.join()}`,
  };
}

const afterBackward =
  (tensor: string, change: (gradient: Tensor, context: Context) => void) =>
  (inner: LayerDefinition): LayerDefinition => ({
    ...inner,
    backward(context) {
      inner.backward(context);
      const gradient = gradientOf(context, tensor);
      if (gradient) change(gradient, context);
    },
  });

const rows = ({ shape, data }: Tensor): number => (shape.length > 1 ? shape[0] : data.length);

/** What can go wrong with any gradient. */
const ANY: readonly (readonly [string, readonly Cause[], (random: Random) => (gradient: Tensor) => void])[] = [
  ['sign flipped', ['sign'], () => (g) => g.data.forEach((value, i) => (g.data[i] = -value))],
  ['twice', ['factor'], () => (g) => g.data.forEach((value, i) => (g.data[i] = 2 * value))],
  [
    'any factor',
    ['factor'],
    (random) => {
      const factor = random.uniform(1.2, 5);
      return (g) => g.data.forEach((value, i) => (g.data[i] = factor * value));
    },
  ],
  ['never written', ['missing'], () => (g) => void g.data.fill(0)],
  [
    'one entry wrong',
    ['single_entries'],
    (random) => {
      const at = random.uniform();
      return (g) => void (g.data[Math.floor(at * g.data.length)] += 0.5);
    },
  ],
  [
    'the last row not written',
    ['single_entries', 'sample_missing', 'time_step_missing', 'share_missing', 'place_missing'],
    () => (g) => void g.data.fill(0, g.data.length - g.data.length / rows(g)),
  ],
  [
    'a constant added',
    ['constant_added'],
    (random) => {
      const by = random.uniform(0.05, 0.3);
      return (g) => g.data.forEach((value, i) => (g.data[i] = value + by));
    },
  ],
];

const anyFaults: GraphFault[] = ANY.map(([kind, causes, change]) => ({
  kind,
  plant(seed) {
    const random = new Random(seed, `graph fault ${kind}`);
    const name = pick(random, [...Object.keys(NEEDED), ...Object.keys(JOINS), 'embedding']);
    const place =
      name === 'embedding'
        ? networkWithEmbedding(random, seed)
        : name in JOINS
          ? networkWithJoin(random, seed, JOINS[name])
          : networkWith(random, seed, NEEDED[name](random));
    const { kind: layerKind } = place.recipe.layers[place.at];
    const net = makeNet(place.recipe);
    const own = net.network.parameters.filter(({ layer }) => layer === place.at).map(({ shortName }) => shortName);
    const inputs = layerKind === 'embedding' ? [] : name in JOINS ? ['input', 'inputs[1]'] : ['input'];
    const tensor = pick(random, [...own, ...inputs]);
    const corrupt = afterBackward(tensor, change(random));
    return plantInLayer(place, { causes, tensors: [tensor], corrupt });
  },
}));

/** A layer's backward pass with some kernels replaced. */
const withKernels =
  (replace: (kernels: Kernels) => Partial<Kernels>) =>
  (inner: LayerDefinition): LayerDefinition => ({
    ...inner,
    backward(context) {
      const { kernels } = context;
      const other = replace(kernels) as Record<string | symbol, unknown>;
      const proxy = new Proxy(kernels, {
        get(target, name) {
          if (name in other) return other[name];
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
      inner.backward({ ...context, kernels: proxy });
    },
  });

const IN_PROJECTION = ['input', 'in_proj_weight', 'in_proj_bias'];

const ofKind = (
  kind: string,
  name: string,
  causes: readonly Cause[],
  tensors: readonly string[],
  corrupt: LayerFault['corrupt'],
): GraphFault => ({
  kind,
  plant(seed) {
    const random = new Random(seed, `graph fault ${kind}`);
    const place =
      name === 'embedding'
        ? networkWithEmbedding(random, seed)
        : name in JOINS
          ? networkWithJoin(random, seed, JOINS[name])
          : networkWith(random, seed, NEEDED[name](random));
    return plantInLayer(place, { causes, tensors, corrupt });
  },
});

const keepSteps = ({ shape, data }: Tensor, keep: (t: number, time: number) => boolean): Float64Array => {
  const [samples, time] = shape;
  const width = data.length / samples / time;
  return Float64Array.from(data, (value, i) => (keep(Math.floor(i / width) % time, time) ? value : 0));
};

/** With all states returned, the gradient of the output at some time steps is left out, for one tensor. */
const timeStepFaults: GraphFault[] = (['rnn', 'gru', 'lstm'] as const).flatMap((cell) =>
  (
    [
      ['the last time step left out', (t: number, time: number) => t < time - 1],
      ['the first time step left out', (t: number) => t > 0],
      ['only the last time step', (t: number, time: number) => t === time - 1],
    ] as const
  ).map(([what, keep]): GraphFault => ({
    kind: `${cell}: ${what}`,
    plant(seed) {
      const random = new Random(seed, `${cell} ${what}`);
      const tensor = pick(random, ['weight_ih_l0', 'weight_hh_l0', 'bias_hh_l0', 'input']);
      const needed: LayerRecipe = { kind: cell, options: { hidden_size: size(random), return: 'all' } };
      return plantInLayer(networkWith(random, seed, needed), {
        causes: ['time_step_missing', 'overwritten'],
        tensors: [tensor],
        corrupt: (inner) =>
          withBackwardOverrides(inner, tensor, ({ gradOutput }) => ({ gradOutput: keepSteps(gradOutput, keep) })),
      });
    },
  })),
);

const layerFaults: GraphFault[] = [
  ...timeStepFaults,
  ofKind(
    'embedding: duplicates overwritten',
    'embedding',
    ['overwritten'],
    ['weight'],
    afterBackward('weight', (gradient, { input, gradOutput }) => {
      const [count, width] = gradient.shape;
      gradient.data.fill(0);
      input.data.forEach((index, i) => {
        const row = Math.round(index);
        if (row >= 0 && row < count)
          gradient.data.set(gradOutput.data.subarray(i * width, (i + 1) * width), row * width);
      });
    }),
  ),
  ofKind(
    'attention: scale missing',
    'multihead_attention',
    ['scale_missing', 'factor', 'factor_by_place'],
    IN_PROJECTION,
    withKernels((kernels) => ({
      headSums: (y, pairs, x) => kernels.headSums(y, pairs, x, 1),
      headSumsTransposed: (y, pairs, x) => kernels.headSumsTransposed(y, pairs, x, 1),
    })),
  ),
  ofKind(
    'attention: weights not transposed',
    'multihead_attention',
    ['not_transposed', 'transposed'],
    IN_PROJECTION,
    withKernels((kernels) => ({
      headSumsTransposed: (y, pairs, x, scale) =>
        scale === 1 ? kernels.headSums(y, pairs, x, 1) : kernels.headSumsTransposed(y, pairs, x, scale),
    })),
  ),
  ofKind(
    'attention: scores not transposed',
    'multihead_attention',
    ['not_transposed', 'transposed'],
    IN_PROJECTION,
    withKernels((kernels) => ({
      headSumsTransposed: (y, pairs, x, scale) =>
        scale === 1 ? kernels.headSumsTransposed(y, pairs, x, 1) : kernels.headSums(y, pairs, x, scale),
    })),
  ),
  ofKind(
    'attention: softmax without its sum',
    'multihead_attention',
    ['sum_missing', 'diagonal_only'],
    IN_PROJECTION,
    withKernels((kernels) => ({ softmaxBackward: (dx, dy, y) => kernels.multiply(dx, dy, y) })),
  ),
  ofKind(
    'attention: the key gets no gradient',
    'multihead_attention',
    ['contribution_missing', 'missing', 'single_entries', 'share_missing', 'place_missing'],
    IN_PROJECTION,
    withKernels((kernels) => ({
      headSumsTransposed: (y, pairs, x, scale) =>
        scale === 1 ? kernels.headSumsTransposed(y, pairs, x, 1) : kernels.fill(y, 0),
    })),
  ),
  ofKind(
    'rms_norm: mean square taken as constant',
    'rms_norm',
    ['statistics_constant'],
    ['input'],
    afterBackward('input', (gradient, { input, gradOutput, parameters }) => {
      const width = parameters.weight.data.length;
      for (let from = 0; from < input.data.length; from += width) {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += input.data[from + j] ** 2;
        const root = Math.sqrt(sum / width + 2 ** -23);
        for (let j = 0; j < width; j++)
          gradient.data[from + j] = (gradOutput.data[from + j] * parameters.weight.data[j]) / root;
      }
    }),
  ),
  ofKind(
    'multiply: the other factor left out',
    'multiply',
    ['wrong_operand', 'input_ignored', 'weights_ignored', 'derivative_missing'],
    ['input'],
    afterBackward('input', (gradient, { gradOutput }) => gradient.data.set(gradOutput.data)),
  ),
  ofKind(
    'multiply: its own value for the other one',
    'multiply',
    ['wrong_operand', 'derivative_at_output', 'swapped', 'derivative_of_another', 'wrong_derivative'],
    ['input'],
    afterBackward('input', (gradient, { gradOutput, input }) =>
      gradient.data.forEach((_, i) => (gradient.data[i] = gradOutput.data[i] * input.data[i])),
    ),
  ),
  ofKind(
    'subtract: the second input as the first',
    'subtract',
    ['sign'],
    ['inputs[1]'],
    afterBackward('inputs[1]', (gradient, { gradOutput }) => gradient.data.set(gradOutput.data)),
  ),
  ofKind(
    'concat: the second input gets the part of the first',
    'concat',
    ['shifted', 'permuted', 'swapped', 'wrong_place', 'wrong_operand', 'axes_wrong'],
    ['inputs[1]'],
    afterBackward('inputs[1]', (gradient, { gradOutput }) => {
      const [count, width] = gradient.shape;
      for (let row = 0; row < count; row++)
        for (let j = 0; j < width; j++) gradient.data[row * width + j] = gradOutput.data[row * 2 * width + j];
    }),
  ),
];

/** In the kernels that add gradients up. */
function plantInSums(recipe: NetRecipe, causes: readonly Cause[], replace: Partial<Kernels>): GraphOutcome | null {
  const right = backprop(makeNet(recipe));
  const { prototype } = ReferenceKernels;
  const before = Object.fromEntries(Object.keys(replace).map((name) => [name, prototype[name as keyof Kernels]]));
  try {
    Object.assign(prototype, replace);
    const net = makeNet(recipe);
    if (!differ(right, backprop(net))) return null;
    const report = checkNet(net, {}, 'reference');
    const identified = report.diagnosis !== null && causes.includes(report.diagnosis.cause);
    return { report, detected: report.counts.wrong > 0 && !report.passed, identified, place: 'a sum' };
  } finally {
    Object.assign(prototype, before);
  }
}

/** An output that goes to several layers, or to two losses; no layer of its own adds by `axpby`. */
function branches(random: Random, seed: number): NetRecipe {
  const width = size(random);
  const activation = (): LayerRecipe => ({ kind: pick(random, ['tanh', 'sigmoid'] as const) });
  const rest = { inputs: size(random), batch: 3 + random.integerBelow(4), seed } as const;
  if (random.integerBelow(2) === 0)
    return {
      ...rest,
      loss: pick(random, ['cross_entropy', 'bce_with_logits', 'huber'] as const),
      layers: [linear(width), activation(), linear(2)],
      auxiliary: [{ kind: 'mse', layer: 2, weight: pick(random, [0.25, 0.5, 2]), target: 'targets' }],
    };
  return {
    ...rest,
    loss: pick(random, ['mse', 'cross_entropy'] as const),
    layers: [
      linear(width),
      { kind: pick(random, ['tanh', 'sigmoid', 'softmax'] as const) },
      linear(width),
      activation(),
      { kind: pick(random, ['multiply', 'concat'] as const), inputs: [3, 1] },
      linear(2),
    ],
  };
}

const inSums = (kind: string, causes: readonly Cause[], axpby: Kernels['axpby']): GraphFault => ({
  kind,
  plant(seed) {
    const random = new Random(seed, `graph fault ${kind}`);
    return plantInSums(branches(random, seed), causes, { axpby });
  },
});

const sumFaults: GraphFault[] = [
  inSums('where branches join: overwritten', ['overwritten', 'contribution_missing'], (sum, addend, _a, b) =>
    addend.data.forEach((value, i) => (sum.data[i] = b * value)),
  ),
  inSums('where branches join: forgotten', ['contribution_missing', 'overwritten'], () => undefined),
  inSums('where branches join: added twice', ['contribution_twice'], (sum, addend, _a, b) =>
    addend.data.forEach((value, i) => (sum.data[i] += 2 * b * value)),
  ),
  {
    kind: 'a shared weight: one use',
    plant(seed) {
      const random = new Random(seed, 'graph fault shared');
      const width = size(random);
      const { matmulTransposedA } = ReferenceKernels.prototype;
      const recipe: NetRecipe = {
        inputs: width,
        batch: 3 + random.integerBelow(4),
        seed,
        loss: 'mse',
        layers: [
          linear(width),
          { kind: pick(random, ['tanh', 'sigmoid'] as const) },
          { ...linear(width), shared: { weight: 0 } },
          { kind: 'sigmoid' },
          linear(2),
        ],
      };
      return plantInSums(recipe, ['one_use'], {
        matmulTransposedA(this: ReferenceKernels, out, a, b) {
          matmulTransposedA.call(this, out, a, b, false);
        },
      });
    },
  },
];

export const GRAPH_FAULTS: readonly GraphFault[] = [...anyFaults, ...layerFaults, ...sumFaults];
