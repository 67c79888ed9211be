// Measures the cost of one gradient of all parameters: by one forward pass per parameter, and by backprop. Both are
// timed on the same networks of growing width and depth. Their results are compared, and their multiply-adds are
// counted.
import type { HiddenSize, GradientCost } from '../protocol/queries';
import { createKernels } from '../engine/kernels/create-kernels';
import { numel } from '../engine/kernels/tensor';
import { layers as table } from '../engine/layers';
import type { LayerDefinition } from '../engine/layers/layer';
import { declaredParameters, type LayerModel, macsOf, type NetworkModel } from '../engine/network-model';
import { Network } from '../engine/network';
import type { Pass } from '../engine/pass';
import type { CompiledRun } from '../model-spec';

/** Growing width with one hidden layer, then growing depth. */
export const NETWORK_SIZES: readonly HiddenSize[] = [
  ...[4, 8, 16, 32, 64].map((width) => ({ depth: 1, width })),
  ...[2, 4, 8].map((depth) => ({ depth, width: 16 })),
];

// The step of a forward difference in float64: about the square root of its round-off.
const DIFFERENCE_STEP = 1e-8;
const REPEATS = 5;
/** Milliseconds per piece of the naive method. */
const CHUNK_MS = 1;
/** Milliseconds of warm-up calls before any is timed, and the most calls. */
const MIN_WARMUP_MS = 10;
const MAX_WARMUP_CALLS = 4096;

/**
 * The run's data and loss, its first activation, and the layers after its last weights; the hidden layers go in
 * between.
 */
export function buildModel({ model }: CompiledRun, { depth, width }: HiddenSize): NetworkModel {
  const last = model.layers.reduce((found, layer, i) => (declaredParameters(layer).length > 0 ? i : found), -1);
  const activation = model.layers
    .slice(0, Math.max(0, last))
    .find(({ definition }) => definition.jacobianStructure === 'elementwise' && !definition.passThrough);
  const outputs = numel((model.layers[last] ?? model.layers[model.layers.length - 1]!).outputShape);
  const linear = (units: number): Pick<LayerModel, 'definition' | 'options'> => ({
    definition: table.linear,
    options: table.linear.options.parse({ out_features: units }),
  });
  const chain = [
    ...(model.inputShape.length > 1 ? [{ definition: table.flatten as LayerDefinition, options: {} }] : []),
    ...Array.from({ length: depth }, () => [
      linear(width),
      activation ?? { definition: table.tanh, options: {} },
    ]).flat(),
    linear(outputs),
    // Layers that only transform outputs, such as softmax.
    ...model.layers
      .slice(last + 1)
      .filter(
        ({ definition, inputShape, outputShape }) =>
          !definition.inputCount && inputShape.length === 1 && outputShape.length === 1,
      ),
  ];
  let shape = model.inputShape;
  const layers = chain.map(({ definition, options }, i): LayerModel => {
    const inputShape = shape;
    shape = definition.outputShape(inputShape, options);
    return { name: `${definition.kind}${i}`, definition, options, inputShape, outputShape: shape, freeze: [] };
  });
  return { inputShape: model.inputShape, layers, loss: model.loss };
}

/** One forward pass, and for each layer the gradients of its weights and, except for the first, of its input. */
function countMacs({ layers }: NetworkModel, parameters: number, batch: number): GradientCost['macs'] {
  const each = layers.map(macsOf);
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

function minTime(run: () => void, now: () => number): number {
  let minElapsed = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = now();
    run();
    minElapsed = Math.min(minElapsed, now() - start);
  }
  return minElapsed;
}

/** Milliseconds per call, the shortest of several batches, after warming up the JavaScript engine. */
function timePerCall(run: () => void, now: () => number): number {
  let calls = 1;
  for (let elapsed = 0; elapsed < MIN_WARMUP_MS && calls < MAX_WARMUP_CALLS; calls *= 2) {
    const start = now();
    for (let i = 0; i < calls; i++) run();
    elapsed = now() - start;
  }
  const batch = Math.max(1, Math.floor(calls / 4));
  return (
    minTime(() => {
      for (let i = 0; i < batch; i++) run();
    }, now) / batch
  );
}

/**
 * @param now milliseconds
 * @param maxMs the most milliseconds for the naive method; the rest is extrapolated
 */
export function measureGradientCost(
  run: CompiledRun,
  size: HiddenSize,
  now: () => number,
  maxMs: number,
): GradientCost {
  const model = buildModel(run, size);
  const batchSize = run.batchSize;
  const network = new Network(model, createKernels('float64', { deterministic: run.deterministic }), {
    batchSize,
    evaluationBatchSize: 0,
    optimizerStateTensors: 0,
  });
  network.initialize(run.seed);
  const pass = network.trainingPass(batchSize);
  pass.loadBatch(run.dataset.inputs, run.targets, run.split.train, 0);
  pass.sampleMasks(run.seed, 0);
  const time = timePerCall(() => backprop(network, pass), now);
  const analytic = network.parameters.map(({ gradient }) => Float64Array.from(gradient.data));
  const parameters = analytic.reduce((sum, { length }) => sum + length, 0);
  const largest = Math.max(
    ...analytic.map((gradient) => gradient.reduce((found, value) => Math.max(found, Math.abs(value)), 0)),
  );

  const base = pass.evaluate();
  const entries = network.parameters.flatMap(({ value: { data } }, parameter) =>
    Array.from(data, (_, i) => ({ data, i, parameter })),
  );
  const derivatives = new Float64Array(parameters);
  const differentiate = (from: number, to: number): void => {
    for (let entry = from; entry < to; entry++) {
      const { data, i } = entries[entry]!;
      const original = data[i]!;
      const step = DIFFERENCE_STEP * Math.max(1, Math.abs(original));
      data[i] = original + step;
      derivatives[entry] = (pass.evaluate() - base) / step;
      data[i] = original;
    }
  };
  // In pieces, and the shortest of several measurements of each, to exclude other work on the machine as for backprop.
  const passTime = timePerCall(() => void pass.evaluate(), now);
  const chunk = Math.max(1, Math.ceil(CHUNK_MS / passTime));
  const start = now();
  let naive = 0;
  let timedPasses = 0;
  while (timedPasses < parameters && (timedPasses === 0 || now() - start < maxMs)) {
    const to = Math.min(parameters, timedPasses + chunk);
    naive += minTime(() => differentiate(timedPasses, to), now);
    timedPasses = to;
  }
  const maxRelativeDifference = derivatives.subarray(0, timedPasses).reduce((found, derivative, entry) => {
    const { parameter, i } = entries[entry]!;
    return Math.max(found, Math.abs(derivative - analytic[parameter]![i]!) / largest);
  }, 0);
  return {
    ...size,
    parameters,
    backprop: time,
    naive: (naive * parameters) / timedPasses,
    timedPasses,
    macs: countMacs(model, parameters, batchSize),
    maxRelativeDifference,
  };
}
