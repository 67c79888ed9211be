// What one gradient of all parameters costs: by one forward pass a parameter, and by backprop. Both are timed on the same networks,
// of growing width and depth, with the clock that is given; what they compute is compared, and their multiply-adds are counted.
import { createKernels } from '../engine/kernels/create';
import { sizeOf } from '../engine/kernels/tensor';
import { layers as table } from '../engine/layers';
import type { LayerDefinition } from '../engine/layers/layer';
import { type LayerModel, Network, type NetworkModel, type Pass } from '../engine/network';
import type { CompiledRun } from '../spec';

/** A network with so many hidden layers of so many units each. */
export interface HiddenSize {
  readonly depth: number;
  readonly width: number;
}

/** Wider and wider with one hidden layer, then deeper and deeper. */
export const GROWING: readonly HiddenSize[] = [
  ...[4, 8, 16, 32, 64].map((width) => ({ depth: 1, width })),
  ...[2, 4, 8].map((depth) => ({ depth, width: 16 })),
];

export interface Cost extends HiddenSize {
  readonly parameters: number;
  /** Milliseconds of a forward and a backward pass, the shortest of several. */
  readonly backprop: number;
  /** Milliseconds of a forward pass for each parameter, done in pieces, each the shortest of several times. */
  readonly naive: number;
  /** Forward passes that were timed; where they are fewer than the parameters, the time of the others is theirs by proportion. */
  readonly timed: number;
  /** Multiply-adds of both. */
  readonly macs: { readonly backprop: number; readonly naive: number };
  /** Largest difference between the two gradients where both are known, as a share of the largest entry. */
  readonly difference: number;
}

// Of a forward difference in float64: about the square root of its round-off.
const STEP = 1e-8;
const REPEATS = 5;
/** Milliseconds of a piece of the naive way. */
const PIECE = 1;
/** Milliseconds of calls before any counts, and calls at most. */
const ENOUGH = 10;
const MOST_CALLS = 4096;

const parametersOf = ({ definition, inputShape, options }: Pick<LayerModel, 'definition' | 'inputShape' | 'options'>): number =>
  (definition.parameters?.(inputShape, options) ?? []).length;

/** The run's data and loss, its first activation, and what follows its last weights; between them the hidden layers. */
export function growModel({ model }: CompiledRun, { depth, width }: HiddenSize): NetworkModel {
  const last = model.layers.reduce((found, layer, i) => (parametersOf(layer) > 0 ? i : found), -1);
  const activation = model.layers.slice(0, Math.max(0, last)).find(({ definition }) => definition.reach === 'elementwise' && definition.kind !== 'identity');
  const outputs = sizeOf((model.layers[last] ?? model.layers[model.layers.length - 1]).outputShape);
  const linear = (units: number): Pick<LayerModel, 'definition' | 'options'> => ({ definition: table.linear as LayerDefinition, options: table.linear.options.parse({ out_features: units }) });
  const chain = [
    ...(model.inputShape.length > 1 ? [{ definition: table.flatten as LayerDefinition, options: {} }] : []),
    ...Array.from({ length: depth }, () => [linear(width), activation ?? { definition: table.tanh as LayerDefinition, options: {} }]).flat(),
    linear(outputs),
    // What only makes something else of the outputs, such as softmax.
    ...model.layers.slice(last + 1).filter(({ inputShape, outputShape }) => inputShape.length === 1 && outputShape.length === 1),
  ];
  let shape = model.inputShape;
  const layers = chain.map(({ definition, options }, i): LayerModel => {
    const inputShape = shape;
    shape = definition.outputShape(inputShape, options);
    return { name: `${definition.kind}${i}`, definition, options, inputShape, outputShape: shape, freeze: [] };
  });
  return { inputShape: model.inputShape, layers, loss: model.loss };
}

/** Forward once; backward each layer's weights and, but for the first, its input. */
function countMacs({ layers }: NetworkModel, parameters: number, batch: number): Cost['macs'] {
  const each = layers.map(({ definition, inputShape, outputShape, options }) => definition.macs?.(inputShape, outputShape, options) ?? 0);
  const forward = each.reduce((sum, macs) => sum + macs, 0);
  const first = each.find((macs) => macs > 0) ?? 0;
  return { backprop: batch * (3 * forward - first), naive: batch * forward * parameters };
}

function backprop(network: Network, pass: Pass): void {
  network.zeroGradients();
  pass.evaluate();
  pass.lossBackward();
  for (let layer = network.model.layers.length - 1; layer >= 0; layer--) pass.backward(layer);
}

function least(work: () => void, now: () => number): number {
  let shortestYet = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = now();
    work();
    shortestYet = Math.min(shortestYet, now() - start);
  }
  return shortestYet;
}

/** Milliseconds of one call, the shortest of several batches of calls; first until the engine has compiled what it calls often. */
function shortest(work: () => void, now: () => number): number {
  let calls = 1;
  for (let taken = 0; taken < ENOUGH && calls < MOST_CALLS; calls *= 2) {
    const start = now();
    for (let i = 0; i < calls; i++) work();
    taken = now() - start;
  }
  const batch = Math.max(1, Math.floor(calls / 4));
  return least(() => {
    for (let i = 0; i < batch; i++) work();
  }, now) / batch;
}

/**
 * @param now milliseconds.
 * @param most milliseconds that the naive way may take; what is left then is told by proportion.
 */
export function measureCost(run: CompiledRun, size: HiddenSize, now: () => number, most: number): Cost {
  const model = growModel(run, size);
  const batch = run.batchSize;
  const network = new Network(model, createKernels('float64', { deterministic: run.deterministic }), { batch, evaluationBatch: 0, optimizerTensors: 0 });
  network.initialize(run.seed);
  const pass = network.pass(batch);
  pass.load(run.dataset.inputs, run.targets, run.split.train, 0);
  pass.drawFor(run.seed, 0);
  const time = shortest(() => backprop(network, pass), now);
  const analytic = network.parameters.map(({ gradient }) => Float64Array.from(gradient.data));
  const parameters = analytic.reduce((sum, { length }) => sum + length, 0);
  const largest = Math.max(...analytic.map((gradient) => gradient.reduce((found, value) => Math.max(found, Math.abs(value)), 0)));

  const base = pass.evaluate();
  const entries = network.parameters.flatMap(({ value: { data } }, parameter) => Array.from(data, (_, i) => ({ data, i, parameter })));
  const slopes = new Float64Array(parameters);
  const differentiate = (from: number, to: number): void => {
    for (let entry = from; entry < to; entry++) {
      const { data, i } = entries[entry];
      const kept = data[i];
      const step = STEP * Math.max(1, Math.abs(kept));
      data[i] = kept + step;
      slopes[entry] = (pass.evaluate() - base) / step;
      data[i] = kept;
    }
  };
  // In pieces, the shortest of several times each: what else the machine does then counts as little as for backprop.
  const passTime = shortest(() => void pass.evaluate(), now);
  const piece = Math.max(1, Math.ceil(PIECE / passTime));
  const start = now();
  let naive = 0;
  let timed = 0;
  while (timed < parameters && (timed === 0 || now() - start < most)) {
    const to = Math.min(parameters, timed + piece);
    naive += least(() => differentiate(timed, to), now);
    timed = to;
  }
  const difference = slopes.subarray(0, timed).reduce((found, slope, entry) => {
    const { parameter, i } = entries[entry];
    return Math.max(found, Math.abs(slope - analytic[parameter][i]) / largest);
  }, 0);
  return { ...size, parameters, backprop: time, naive: (naive * parameters) / timed, timed, macs: countMacs(model, parameters, batch), difference };
}
