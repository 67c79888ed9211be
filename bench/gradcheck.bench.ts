// The quality of the gradient check: false positives on networks with right gradients, planted faults that it finds,
// accuracy and speed. Networks are random; `NETWORKS=100000` draws more of them, `ONLY_RIGHT=1` measures only false
// positives.
import { type CheckReport, VERDICTS } from '../src/protocol/check-report';
import type { BackwardContext, LayerDefinition } from '../src/engine/layers/layer';
import { createKernels, type KernelOptions } from '../src/engine/kernels/create-kernels';
import { Network } from '../src/engine/network';
import type { Pass } from '../src/engine/pass';
import { Random } from '../src/engine/random';
import { GradientCheck } from '../src/gradcheck';
import type { LayerKind } from '../src/engine/layers';
import { losses, type LossKind } from '../src/engine/losses';
import { rowLayers } from '../test/support/layers';
import {
  checkNet,
  layerOf,
  type LayerRecipe,
  linear,
  makeNet,
  type Net,
  type NetRecipe,
  OPTIONS,
} from '../test/gradcheck/nets';
import { median, percentile, formatRounded, formatTable } from './measure';

const NETWORKS = Number(process.env.NETWORKS ?? 10_000);
const STEPS = [1e-7, 1e-6, 6e-6, 1e-5, 1e-4, 1e-3, 1e-2];

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integerBelow(from.length)];

/** The last layer that a loss requires. */
const LAST: Partial<Record<LossKind, LayerKind>> = {
  bce: 'sigmoid',
  cross_entropy_on_probabilities: 'softmax',
  nll: 'log_softmax',
};

/** Convolution, a kinked activation and pooling before the linear layers. */
const imageLayers = (random: Random): LayerRecipe[] => [
  {
    kind: 'conv2d',
    options: {
      out_channels: 1 + random.integerBelow(3),
      kernel_size: pick(random, [1, 2, 3]),
      stride: pick(random, [1, 1, 2]),
      padding: random.integerBelow(2),
    },
  },
  { kind: pick(random, ['relu', 'leaky_relu', 'tanh', 'gelu'] as const) },
  {
    kind: pick(random, ['max_pool2d', 'avg_pool2d'] as const),
    options: { kernel_size: 2, stride: pick(random, [1, 2]) },
  },
  { kind: 'flatten' },
];

function randomRecipe(random: Random, seed: number): NetRecipe {
  const start = [{}, {}, {}, { init: { type: 'normal', std: 2 } }, { bias: false }, { bias_init: 'zeros' }];
  const image = random.integerBelow(4) === 0;
  const layers: LayerRecipe[] = image ? imageLayers(random) : [];
  for (let depth = random.integerBelow(image ? 2 : 4); depth > 0; depth--) {
    layers.push(linear(1 + random.integerBelow(6), pick(random, start)));
    layers.push({
      kind: pick(
        random,
        rowLayers.filter((kind) => kind !== 'linear'),
      ),
    });
  }
  layers.push(linear(2 + random.integerBelow(3), pick(random, start)));
  const loss = pick(random, Object.keys(losses) as LossKind[]);
  const last = LAST[loss];
  if (last) layers.push({ kind: last });
  return {
    inputs: image ? [1 + random.integerBelow(2), 5, 5 + random.integerBelow(2)] : 1 + random.integerBelow(4),
    batch: 1 + random.integerBelow(8),
    loss,
    layers,
    seed,
    spread: pick(random, [0.1, 1, 1, 10]),
    precision: pick(random, ['float64', 'float32'] as const),
    penalty:
      random.integerBelow(4) === 0
        ? { l1: random.integerBelow(2) * 0.01, l2: random.integerBelow(2) * 0.1, biases: random.integerBelow(2) === 0 }
        : undefined,
  };
}

/**
 * PyTorch's guards change the gradients of saturated probabilities, but not their losses; the check rightly reports
 * these.
 */
const isGuarded = ({ pass }: Net, loss: NetRecipe['loss']): boolean => {
  pass.evaluate();
  return (
    (loss === 'bce' && pass.prediction.data.some((p) => p * (1 - p) < 1e-12)) ||
    (loss === 'cross_entropy_on_probabilities' && pass.prediction.data.some((p) => p < 1e-300))
  );
};

/** Relative errors of entries that passed. */
const errorsOf = ({ points }: CheckReport): number[] =>
  Array.from(points.analytic, (analytic, i) => {
    const numeric = points.numeric[i];
    const passed = VERDICTS[points.verdict[i]] === 'pass';
    return passed ? Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric)) : NaN;
  }).filter((error) => !Number.isNaN(error));

function falsePositiveTable(): string {
  const rows = STEPS.map((step) => {
    const counts = { pass: 0, wrong: 0, kink: 0, below_noise: 0 };
    let [alarmed, alone, networks] = [0, 0, 0];
    const errors: number[] = [];
    for (let seed = 0; networks < Math.ceil(NETWORKS / STEPS.length); seed++) {
      const recipe = randomRecipe(new Random(seed, `right ${step}`), seed);
      const net = makeNet(recipe);
      if (isGuarded(net, recipe.loss)) continue;
      const report = checkNet(net, { step });
      networks++;
      for (const verdict of VERDICTS) counts[verdict] += report.counts[verdict];
      if (report.counts.wrong > 0 || (report.withoutPenalty?.counts.wrong ?? 0) > 0) alarmed++;
      if (
        report.layers.some(
          ({ tensors, overwrites }) => overwrites.length > 0 || tensors.some(({ verdict }) => verdict === 'wrong'),
        )
      )
        alone++;
      errors.push(...errorsOf(report));
    }
    return [
      String(step),
      String(networks),
      String(alarmed),
      String(alone),
      ...VERDICTS.map((verdict) => counts[verdict].toLocaleString('en-US')),
      median(errors).toExponential(1),
      percentile(errors, 0.99).toExponential(1),
    ];
  });
  return formatTable(
    [
      'step',
      'networks',
      'called wrong',
      'a layer alone',
      'pass',
      'wrong',
      'kink',
      'below noise',
      'median error',
      'p99 error',
    ],
    rows,
  );
}

type Fault = (context: BackwardContext<unknown>, random: Random) => void;

/** One of the gradients that a layer has written. */
function pickGradient({ gradInput, gradParameters }: BackwardContext<unknown>, random: Random) {
  const tensors = [...(gradInput ? [gradInput] : []), ...Object.values(gradParameters)];
  return tensors.length > 0 ? pick(random, tensors).data : new Float64Array(0);
}

const applyToAll =
  (change: (value: number, i: number) => number): Fault =>
  (context, random) => {
    const data = pickGradient(context, random);
    for (let i = 0; i < data.length; i++) data[i] = change(data[i], i);
  };

const faults: Readonly<Record<string, Fault>> = {
  'sign flipped': applyToAll((value) => -value),
  'factor 2': applyToAll((value) => 2 * value),
  'factor 1/2': applyToAll((value) => value / 2),
  'one per cent too much': applyToAll((value) => 1.01 * value),
  missing: applyToAll(() => 0),
  'absolute value': applyToAll(Math.abs),
  'constant added': applyToAll((value) => value + 0.01),
  'every second one': applyToAll((value, i) => (i % 2 === 0 ? value : 0)),
  'divided by the batch': (context, random) => applyToAll((value) => value / context.input.shape[0])(context, random),
  'one element flipped': (context, random) => {
    const data = pickGradient(context, random);
    if (data.length > 0) data[random.integerBelow(data.length)] *= -1;
  },
  'one off': (context, random) => {
    const data = pickGradient(context, random);
    const before = data.slice();
    for (let i = 0; i < data.length; i++) data[i] = before[(i + 1) % data.length];
  },
  reversed: (context, random) => void pickGradient(context, random).reverse(),
};

function backprop({ network, pass }: Net): number[] {
  network.zeroGradients();
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  return network.parameters.flatMap(({ gradient }) => Array.from(gradient.data));
}

function plantedFaultTable(): string {
  const rows = Object.entries(faults).map(([name, fault]) => {
    let planted = 0;
    let found = 0;
    for (let seed = 0; seed < NETWORKS / 10; seed++) {
      const random = new Random(seed, `fault ${name}`);
      const recipe: NetRecipe = { ...randomRecipe(random, seed), precision: 'float64' };
      if (isGuarded(makeNet(recipe), recipe.loss)) continue;
      const at = random.integerBelow(recipe.layers.length);
      const definition = layerOf(recipe.layers[at].kind);
      const faulty: LayerDefinition = {
        ...definition,
        backward(context) {
          definition.backward(context);
          fault(context, new Random(seed, 'which'));
        },
      };
      const net = makeNet({
        ...recipe,
        layers: recipe.layers.map((layer, i) => (i === at ? { ...layer, definition: faulty } : layer)),
      });
      const right = backprop(makeNet(recipe));
      const wrong = backprop(net);
      // Many faults change nothing in a given network, such as the sign of a zero; these do not count.
      const differs = right.some(
        (g, i) => Math.abs(g - wrong[i]) > Math.max(1e-6, 1e-3 * Math.max(Math.abs(g), Math.abs(wrong[i]))),
      );
      if (!differs) continue;
      planted++;
      if (checkNet(net).counts.wrong > 0) found++;
    }
    return [name, String(planted), String(found), String(planted - found)];
  });
  return formatTable(['fault in one layer', 'planted', 'found', 'missed'], rows);
}

function timingTable(): string {
  const sizes: readonly (readonly [string, NetRecipe])[] = [
    [
      '2-4-2 tanh, batch 4',
      { inputs: 2, batch: 4, loss: 'cross_entropy', layers: [linear(4), { kind: 'tanh' }, linear(2)] },
    ],
    [
      '2-16-16-2 tanh, batch 32',
      {
        inputs: 2,
        batch: 32,
        loss: 'cross_entropy',
        layers: [linear(16), { kind: 'tanh' }, linear(16), { kind: 'tanh' }, linear(2)],
      },
    ],
    [
      '2-16-16-2 relu, batch 32',
      {
        inputs: 2,
        batch: 32,
        loss: 'cross_entropy',
        layers: [linear(16), { kind: 'relu' }, linear(16), { kind: 'relu' }, linear(2)],
      },
    ],
    [
      '784-300-10 sigmoid, batch 10',
      { inputs: 784, batch: 10, loss: 'cross_entropy', layers: [linear(300), { kind: 'sigmoid' }, linear(10)] },
    ],
    [
      '784-64-32-10 relu, batch 10',
      {
        inputs: 784,
        batch: 10,
        loss: 'cross_entropy',
        layers: [linear(64), { kind: 'relu' }, linear(32), { kind: 'relu' }, linear(10)],
      },
    ],
  ];
  const kernels: readonly KernelOptions[] = [{ backend: 'reference' }, {}];
  const rows = sizes.flatMap(([name, recipe]) =>
    kernels.map((each) => {
      const { network, pass } = makeNet(recipe);
      const shortMs = timeFullCheck(network, pass, each);
      const plainMs = timeFullCheck(withoutFastPaths(network), pass, each);
      const check = new GradientCheck({ network, pass, step: 0, options: OPTIONS, kernels: each });
      while (check.advance(1024));
      const { counts, compared } = check.report();
      return [
        name,
        createKernels('float64', each).backend,
        check.entries.toLocaleString('en-US'),
        counts.pass.toLocaleString('en-US'),
        formatDuration(shortMs),
        formatDuration(plainMs),
        formatRounded(plainMs / shortMs),
        String(compared.entries),
        compared.largestDifference.toExponential(1),
      ];
    }),
  );
  return formatTable(
    ['every entry', 'kernels', 'entries', 'pass', 'time', 'the plain way', 'ratio', 'compared', 'largest difference'],
    rows,
  );
}

const formatDuration = (ms: number): string =>
  ms > 20_000 ? `${formatRounded(ms / 60_000)} min` : `${formatRounded(ms)} ms`;

/** The same network without declared Jacobian structures. */
function withoutFastPaths({ model, kernels, size, parameters }: Network): Network {
  const layers = model.layers.map((layer) => ({ ...layer, definition: { ...layer.definition, reach: undefined } }));
  const copy = new Network({ ...model, layers }, kernels, size);
  copy.parameters.forEach(({ value }, i) => value.data.set(parameters[i].value.data));
  return copy;
}

/** Milliseconds of a whole check. For a long one, a part of the first layer is timed and extrapolated. */
function timeFullCheck(network: Network, pass: Pass, kernels: KernelOptions): number {
  const first = network.parameters
    .filter(({ layer }) => layer === 0)
    .reduce((sum, { value }) => sum + value.data.length, 0);
  const times: number[] = [];
  const begin = performance.now();
  do {
    const start = performance.now();
    const check = new GradientCheck({ network, pass, step: 0, options: OPTIONS, kernels });
    // Later layers come first and are cheaper.
    check.advance(check.entries - first);
    const reached = performance.now();
    while (check.advance(16) && performance.now() - reached < 10_000);
    const end = performance.now();
    times.push(reached - start + ((end - reached) * first) / (check.checked - (check.entries - first)));
  } while (times.length < 50 && performance.now() - begin < 2_000);
  return median(times);
}

if (!process.env.ONLY_RIGHT) console.log(`${timingTable()}\n\n${plantedFaultTable()}\n`);
console.log(falsePositiveTable());
