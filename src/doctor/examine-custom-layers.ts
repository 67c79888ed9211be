// What custom layers do to real samples, on their own: whether they mix samples, lose digits in float32, or compute
// something else in evaluation. A gradient check cannot see any of it, because the derivatives are right.
import { createLayerContext } from '../engine/isolated-layer';
import { createBackend } from '../engine/kernels/create-kernels';
import type { Tensor, TensorData } from '../engine/kernels/tensor';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { parametersUsedBy } from '../engine/network-model';
import { formatLocation } from '../engine/custom/custom-layer-error';
import type { Pass } from '../engine/pass';
import { formatCompact, formatPercent } from '../presentation/numbers';
import { Random } from '../engine/random';
import type { TrainingSession } from '../session/session';

interface LayerFault {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** Index of the layer. */
  readonly layer: number;
}

/** Samples that are looked at. */
const SAMPLES = 16;

/** Of the deviation of the outputs: a relative difference above it is more than round-off. */
const MIN_DIFFERENCE = 1e-6;
/** A loss of precision that training feels. */
const MIN_LOST = 0.01;

/** Draws of a random layer that are averaged, and the numbers of all of them together. */
const [DRAWS, MAX_DRAWN] = [200, 4e6];
/** The mean of a dropout's outputs is its output in evaluation, and so is the size of what a random flip moves. */
const [SAME_MEAN, SAME_SIZE] = [0.85, 0.93];

export function examineCustomLayers({ network, run }: TrainingSession): LayerFault[] {
  const { model } = network;
  if (!model.layers.some(({ definition }) => definition.sourceLocations)) return [];
  const count = Math.min(SAMPLES, run.split.train.length);
  const pass = network.evaluationPass(Math.min(count, network.size.evaluationBatchSize));
  pass.loadBatch(run.dataset.inputs, run.targets, run.split.train, 0);
  pass.evaluate();
  return model.layers.flatMap(({ definition }, layer) =>
    definition.sourceLocations ? new LayerTrial(network, pass, layer).faults() : [],
  );
}

class LayerTrial {
  constructor(
    readonly network: TrainingSession['network'],
    readonly pass: Pass,
    readonly layer: number,
  ) {}

  faults(): LayerFault[] {
    return this.#faults().map((fault) => ({ ...fault, layer: this.layer }));
  }

  #faults(): Omit<LayerFault, 'layer'>[] {
    const { definition, name } = this.network.model.layers[this.layer]!;
    const { batchSize } = this.pass;
    const place = definition.sourceLocations ? ` (${formatLocation(definition.sourceLocations.forward)})` : '';
    const exact = this.#forward('float64', batchSize);
    const spread = deviation(exact);
    if (!(spread > 0) || !exact.every(Number.isFinite)) return [];
    const alone = this.#forward('float64', 1);
    const mixed = largestDifference(exact.subarray(0, alone.length), alone) / spread;
    if (batchSize > 1 && mixed > MIN_DIFFERENCE)
      return [
        {
          code: 'layer-mixes-samples',
          message: `${name}${place} mixes samples: its output for one sample depends on the others of the batch, and changes by ${formatPercent(Number(mixed.toPrecision(2)))} of its spread when that sample comes alone.`,
          remedy: 'Reduce or normalize along the axes of a sample, not axis 0, which is the batch.',
        },
      ];
    const ofRandom = definition.sampleMask ? this.#randomFaults(`${name}${place}`, exact) : [];
    if (ofRandom.length > 0) return ofRandom;
    const inTraining = this.#forward('float64', batchSize, true);
    const changed = largestDifference(exact, inTraining) / spread;
    if (!definition.sampleMask && changed > MIN_LOST)
      return [
        {
          code: 'layer-differs-in-evaluation',
          message: `${name}${place} computes something else in evaluation than in training: its output differs by ${formatPercent(Number(changed.toPrecision(2)))} of its spread, although it draws no random numbers.`,
          remedy: 'Compute the same whatever "training" is, or the validation loss is that of another network.',
        },
      ];
    const rounded = this.#forward('float32', batchSize);
    const lost = largestDifference(exact, rounded) / spread;
    if (this.network.kernels.precision === 'float32' && !(lost <= MIN_LOST))
      return [
        {
          code: 'loss-of-precision',
          message: `${name}${place} loses its digits in float32: for the same input, its output differs from that in float64 by ${formatCompact(lost)} times its spread. Something large is probably subtracted from something almost equal, or overflows.`,
          remedy: 'Rewrite the formula so that it subtracts no large numbers, or set "precision": "float64".',
        },
      ];
    return [];
  }

  /** Of a layer that draws random numbers. @param exact its outputs in evaluation */
  #randomFaults(layer: string, exact: Float64Array): Omit<LayerFault, 'layer'>[] {
    const { batchSize } = this.pass;
    const width = exact.length / batchSize;
    const copies = this.#forward('float64', batchSize, false, { isRepeated: true });
    const repeated = copies.map((_, i) => copies[i % width]!);
    if (largestDifference(copies, repeated) / deviation(exact) > MIN_LOST)
      return [
        {
          code: 'layer-random-in-evaluation',
          message: `${layer} draws random numbers in evaluation too: equal samples get different outputs there, so the losses and accuracies of whole splits are those of a network with noise.`,
          remedy: 'Return the expected output where "training" is false: for a dropout that scales what it keeps, x.',
        },
      ];
    const draws = Math.min(DRAWS, Math.floor(MAX_DRAWN / exact.length));
    let [product, squares, drawn] = [0, 0, 0];
    for (let seed = 0; seed < draws; seed++)
      for (const [i, value] of this.#forward('float64', batchSize, true, { seed }).entries()) {
        product += (value * exact[i]!) / draws;
        drawn += value ** 2 / draws;
        squares += exact[i]! ** 2 / draws;
      }
    const [mean, size] = [product / squares, Math.sqrt(drawn / squares)];
    const isSame = (ratio: number, least: number): boolean => ratio >= least && ratio <= 1 / least;
    if (draws < DRAWS || !(squares > 0) || isSame(mean, SAME_MEAN) || isSame(size, SAME_SIZE)) return [];
    return [
      {
        code: 'layer-differs-in-evaluation',
        message: `${layer} computes something else in evaluation than in training: the mean of its random outputs in training is ${formatCompact(Number(mean.toPrecision(2)))} times its output in evaluation.`,
        remedy: 'Scale what is kept in training by 1 / (1 - p), and return x in evaluation.',
      },
    ];
  }

  /**
   * Its output for the first samples, from the inputs that the network gives it.
   * @param seed of its random numbers in training
   * @param isRepeated whether all samples are the first one
   */
  #forward(
    precision: 'float32' | 'float64',
    batch: number,
    training = false,
    { seed = 0, isRepeated = false } = {},
  ): Float64Array {
    const { network, pass, layer } = this;
    const { model } = network;
    const context = createLayerContext(createBackend('reference', precision), model.layers[layer]!, batch, training);
    const copy = (to: Tensor, from: TensorData): void => {
      const width = to.data.length / batch;
      to.data.set(from.subarray(0, to.data.length));
      if (isRepeated) for (let row = 1; row < batch; row++) to.data.copyWithin(row * width, 0, width);
    };
    const { definition, options } = model.layers[layer]!;
    if (context.mask) definition.sampleMask?.(context.mask, new Random(seed, 'custom layer'), options);
    const [first, ...others] = inputsOf(model, layer).map((source) =>
      source === NETWORK_INPUT ? pass.input : pass.outputs[source]!,
    );
    copy(context.input, first!.data);
    others.forEach((input, i) => copy(context.otherInputs[i]!, input.data));
    for (const { shortName, value } of parametersUsedBy(network, layer))
      context.parameters[shortName]!.data.set(value.data);
    definition.forward(context);
    return Float64Array.from(context.output.data);
  }
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Infinite where one of them is not finite. */
const largestDifference = (a: Float64Array, b: Float64Array): number =>
  a.reduce((largest, value, i) => {
    const difference = Math.abs(value - b[i]!);
    return Number.isFinite(difference) ? Math.max(largest, difference) : Infinity;
  }, 0);
