// Plants one fault into a random network and runs the check. Networks and seeds are independent of those of other
// tests.
import type { CheckReport } from '../../../src/protocol/check-report';
import type { LayerKind } from '../../../src/engine/layers';
import { losses, type LossKind } from '../../../src/engine/losses';
import type { LossDefinition } from '../../../src/engine/losses/loss';
import type { LayerModel } from '../../../src/engine/network-model';
import type { WindowOptions } from '../../../src/engine/kernels/windows';
import { Random } from '../../../src/engine/random';
import { checkNet, layerOf, type LayerRecipe, linear, makeNet, type Net, type NetRecipe } from '../nets';
import { GENERIC_FAULTS } from './any-gradient';
import type { Cause, Fault, Site } from './fault';
import { HAND_WRITTEN, type HandWritten } from './hand-written';
import { fitsOver, IMAGE_FAULTS } from './images';
import { LAYER_FAULTS } from './layers';
import { MORE_HAND_WRITTEN, LOSS_FAULTS } from './losses';
import { NORM_FAULTS, startsAtIdentity } from './norms';

export type AnyFault = Fault | HandWritten;

/** The first set of bench/README.md, measured before explanations were written for it. */
export const FIRST_SET: readonly AnyFault[] = [...GENERIC_FAULTS, ...LAYER_FAULTS, ...HAND_WRITTEN];
/** Faults in images, normalization, losses, and further hand-written layers. */
export const SECOND_SET: readonly AnyFault[] = [...IMAGE_FAULTS, ...NORM_FAULTS, ...LOSS_FAULTS, ...MORE_HAND_WRITTEN];
export const FAULTS: readonly AnyFault[] = [...FIRST_SET, ...SECOND_SET];

const isHandWritten = (fault: AnyFault): fault is HandWritten => 'definition' in fault;

export interface Outcome {
  readonly report: CheckReport;
  readonly detected: boolean;
  /** Whether layer, tensor and cause named first are those that were planted. */
  readonly identified: boolean;
  readonly layer: string | null;
  readonly tensor: string;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integerBelow(from.length)];

const OPTIONS: Partial<Record<LayerKind, (random: Random) => Readonly<Record<string, unknown>>>> = {
  leaky_relu: (random) => ({ negative_slope: random.uniform(0.1, 0.4) }),
  elu: (random) => ({ alpha: random.uniform(0.5, 2) }),
  softplus: (random) => ({ beta: random.uniform(0.5, 3) }),
  relu: (random) => ({ scale: pick(random, [1, 1, 2.5]) }),
  dropout: (random) => ({ p: random.uniform(0.2, 0.6) }),
};

const HIDDEN_KINDS = [
  'tanh',
  'sigmoid',
  'relu',
  'leaky_relu',
  'elu',
  'gelu',
  'silu',
  'softplus',
  'softmax',
  'log_softmax',
  'dropout',
  'identity',
] as const;

const LAST_KINDS: Partial<Record<LossKind, LayerKind>> = {
  bce: 'sigmoid',
  cross_entropy_on_probabilities: 'softmax',
  nll: 'log_softmax',
};

function drawRecipe(random: Random, seed: number, required: LayerRecipe | undefined): NetRecipe {
  const size = (): number => 2 + random.integerBelow(8);
  const layers: LayerRecipe[] = [];
  const depth = 1 + random.integerBelow(3);
  const place = random.integerBelow(depth);
  const same = random.integerBelow(3) === 0 ? size() : 0;
  for (let i = 0; i < depth; i++) {
    const kind = pick(random, HIDDEN_KINDS);
    layers.push(linear(same || size()));
    layers.push(i === place && required ? required : { kind, options: OPTIONS[kind]?.(random) ?? {} });
  }
  const loss = pick(random, Object.keys(losses) as LossKind[]);
  layers.push(linear(same || 2 + random.integerBelow(5)));
  const last = LAST_KINDS[loss];
  if (last) layers.push({ kind: last });
  return {
    inputs: same || size(),
    batch: 2 + random.integerBelow(11),
    loss,
    layers,
    seed,
    precision: required?.definition ? 'float64' : pick(random, ['float64', 'float32'] as const),
    penalty:
      random.integerBelow(4) === 0
        ? { l1: random.integerBelow(2) * 0.01, l2: random.uniform(0.01, 0.2), biases: random.integerBelow(2) === 0 }
        : undefined,
  };
}

const IMAGE_LAYERS = ['conv2d', 'max_pool2d', 'avg_pool2d'] as const;

/** One or more convolutions, flattened at the end. */
function drawImageRecipe(random: Random, seed: number): NetRecipe {
  const inputs = [1 + random.integerBelow(3), 4 + random.integerBelow(4), 4 + random.integerBelow(4)];
  const layers: LayerRecipe[] = [];
  let shape: readonly number[] = inputs;
  const add = (layer: LayerRecipe): void => {
    const { options, outputShape } = layerOf(layer.kind);
    const parsed = options.parse(layer.options ?? {});
    if (layer.options && !fitsOver(shape, parsed as WindowOptions)) return;
    layers.push(layer);
    shape = outputShape(shape, parsed);
  };
  const windows = () => {
    const kernel_size =
      random.integerBelow(2) === 0
        ? 2 + random.integerBelow(2)
        : [1 + random.integerBelow(3), 1 + random.integerBelow(3)];
    const least = typeof kernel_size === 'number' ? kernel_size : Math.min(...kernel_size);
    return {
      kernel_size,
      padding: random.integerBelow(2) * Math.min(1, Math.floor(least / 2)),
      stride: 1 + random.integerBelow(2),
    };
  };
  add({ kind: 'conv2d', options: { ...windows(), out_channels: 2 + random.integerBelow(2) } });
  add({ kind: pick(random, ['tanh', 'relu', 'silu', 'softplus'] as const) });
  for (let more = 1 + random.integerBelow(2); more > 0; more--) {
    const kind = pick(random, IMAGE_LAYERS);
    add({
      kind,
      options: {
        ...windows(),
        ...(kind === 'conv2d' && { out_channels: shape[0] }),
        ...(kind === 'avg_pool2d' && { count_include_pad: random.integerBelow(2) === 0 }),
      },
    });
  }
  layers.push({ kind: 'flatten' });
  const loss = pick(random, ['mse', 'cross_entropy', 'bce_with_logits'] as const);
  layers.push(linear(2 + random.integerBelow(3)));
  return {
    inputs,
    batch: 2 + random.integerBelow(4),
    loss,
    layers,
    seed,
    precision: pick(random, ['float64', 'float32'] as const),
  };
}

/** A normalization layer after one with weights. */
function drawNormRecipe(random: Random, seed: number): NetRecipe {
  const kind = pick(random, ['batch_norm1d', 'batch_norm2d', 'layer_norm'] as const);
  const norm: LayerRecipe = { kind, options: { eps: pick(random, [1e-5, 1e-3, 0.1]) } };
  const activation: LayerRecipe = { kind: pick(random, ['tanh', 'sigmoid', 'silu'] as const) };
  const rest = {
    batch: 3 + random.integerBelow(6),
    loss: pick(random, ['mse', 'cross_entropy'] as const),
    seed,
    precision: pick(random, ['float64', 'float32'] as const),
  };
  const last = linear(2 + random.integerBelow(3));
  if (kind !== 'batch_norm2d')
    return {
      ...rest,
      inputs: 2 + random.integerBelow(5),
      layers: [linear(3 + random.integerBelow(5)), norm, activation, last],
    };
  const convolution: LayerRecipe = {
    kind: 'conv2d',
    options: { out_channels: 2 + random.integerBelow(2), kernel_size: 2 },
  };
  return {
    ...rest,
    inputs: [1 + random.integerBelow(2), 4, 3],
    layers: [convolution, norm, activation, { kind: 'flatten' }, last],
  };
}

/** Trains a step on another batch, for layers that keep state, and then restores the previous batch. */
function trainOnAnotherBatch({ pass, network }: Net, random: Random): void {
  const batch = pass.input.data.slice();
  for (let i = 0; i < batch.length; i++) pass.input.data[i] = random.normal();
  backprop({ pass, network });
  pass.input.data.set(batch);
}

function backprop({ network, pass }: Net): number[] {
  network.zeroGradients();
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  return network.parameters.flatMap(({ gradient }) => Array.from(gradient.data));
}

interface FaultSite {
  readonly layer: number | null;
  readonly site: Site;
}

/** Every gradient of the network that affects a parameter. */
function faultSitesIn({ network: { model }, pass: { batchSize } }: Net): FaultSite[] {
  const { penalty } = model;
  const loss = model.loss.definition.kind as LossKind;
  const outputs = model.layers[model.layers.length - 1].outputShape.reduce((a, b) => a * b, 1);
  const ofLayer = (
    { definition: { kind, parameters }, options: own, inputShape, outputShape }: LayerModel,
    layer: number,
  ): FaultSite[] => {
    const names = parameters?.(inputShape, own).map(({ name }) => name) ?? [];
    if (layer > 0) names.push('input');
    const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
    return names.map((tensor) => ({
      layer,
      site: {
        kind: kind as LayerKind,
        tensor,
        options: own,
        inputs: size(inputShape),
        outputs: size(outputShape),
        batch: batchSize,
        penalty,
        loss,
      },
    }));
  };
  const ofLoss: FaultSite = {
    layer: null,
    site: {
      kind: 'loss',
      tensor: 'prediction',
      options: model.loss.options,
      inputs: outputs,
      outputs,
      batch: batchSize,
      penalty,
      loss,
    },
  };
  return [...model.layers.flatMap(ofLayer), ofLoss];
}

/** Null if the network has no place for the fault, or if it changes no parameter's gradient. */
export function injectFault(fault: AnyFault, seed: number): Outcome | null {
  const random = new Random(seed, `fault: ${fault.kind}`);
  if (isHandWritten(fault)) {
    const needs: LayerRecipe = { kind: 'identity', definition: fault.definition };
    const recipe = drawRecipe(random, seed, needs);
    return checkFault(
      recipe,
      numericGradient(trainedNet(recipe, random)),
      recipe.layers.indexOf(needs),
      fault.tensor,
      fault.causes,
      random,
    );
  }
  const recipe =
    fault.networkKind === 'images'
      ? drawImageRecipe(random, seed)
      : fault.networkKind === 'norms'
        ? drawNormRecipe(random, seed)
        : drawRecipe(
            random,
            seed,
            fault.requiredLayer && { kind: fault.requiredLayer, options: OPTIONS[fault.requiredLayer]?.(random) },
          );
  const right = trainedNet(recipe, random);
  const places = faultSitesIn(right).filter(
    ({ layer, site }) => (layer === null ? fault.loss : fault.layer) && fault.fits(site),
  );
  if (places.length === 0) return null;
  const { layer, site } = pick(random, places);
  // Created for each network, since a fault may keep state.
  const wrong = (): NetRecipe => withFault(recipe, fault, layer, site, random.stream('fault'));
  return checkFault(wrong(), backprop(right), layer, site.tensor, fault.causes, random, wrong());
}

function withFault(
  recipe: NetRecipe,
  { layer: corruptLayer, loss: corruptLoss }: Fault,
  at: number | null,
  site: Site,
  random: Random,
): NetRecipe {
  if (at === null) {
    const inner = losses[recipe.loss as LossKind] as LossDefinition;
    return { ...recipe, loss: { definition: corruptLoss?.(inner, site, random) ?? inner } };
  }
  return {
    ...recipe,
    layers: recipe.layers.map((each, i) =>
      i === at ? { ...each, definition: corruptLayer?.(layerOf(each.kind), site, random) } : each,
    ),
  };
}

/** @param again the same network, so that a fault's state does not carry over */
function checkFault(
  recipe: NetRecipe,
  expected: readonly number[],
  layer: number | null,
  tensor: string,
  causes: readonly Cause[],
  random: Random,
  again = recipe,
): Outcome | null {
  const wrong = backprop(trainedNet(recipe, random));
  const differs = expected.some(
    (g, i) => !(Math.abs(g - wrong[i]) <= Math.max(1e-6, 1e-3 * Math.max(Math.abs(g), Math.abs(wrong[i])))),
  );
  if (!differs || expected.some((g) => !Number.isFinite(g))) return null;
  const net = trainedNet(again, random);
  const report = checkNet(net);
  if (!Number.isFinite(report.loss)) return null;
  const name = layer === null ? null : net.network.model.layers[layer].name;
  const { diagnosis } = report;
  const isTensor = diagnosis?.cause === 'argument_changed' || diagnosis?.tensor === tensor;
  const identified = diagnosis !== null && diagnosis.layer === name && isTensor && causes.includes(diagnosis.cause);
  return { report, detected: report.counts.wrong > 0 && !report.passed, identified, layer: name, tensor };
}

/** The network after a step on another batch. */
function trainedNet(recipe: NetRecipe, random: Random): Net {
  const net = makeNet(recipe);
  const { model, parameters } = net.network;
  const start = random.stream('norms');
  for (const {
    layer,
    value: { data },
  } of parameters) {
    if (startsAtIdentity(model.layers[layer].definition.kind))
      data.forEach((value, i) => (data[i] = value + start.uniform(-0.5, 0.9)));
  }
  trainOnAnotherBatch(net, random.stream('another batch'));
  return net;
}

/** If there is no right backward to compare with: central differences, NaN at a kink. */
function numericGradient({ network, pass }: Net): number[] {
  return network.parameters.flatMap(({ value: { data } }) =>
    Array.from(data, (start, i) => {
      const at = (value: number): number => {
        data[i] = value;
        return pass.evaluate();
      };
      const [slope, shorter] = [1e-5, 2e-6].map((h) => (at(start + h) - at(start - h)) / (2 * h));
      data[i] = start;
      return Math.abs(slope - shorter) <= 1e-6 + 1e-4 * Math.abs(slope) ? slope : NaN;
    }),
  );
}
