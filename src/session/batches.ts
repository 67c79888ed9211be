// The samples of a training step: a pure function of the seed and the step, so going back needs no saved state. Every
// epoch contains every training sample once, by default in a new order.
import { augment } from '../engine/augmentations/augmentation';
import type { Dataset } from '../engine/datasets/dataset';
import type { Precision, TensorData } from '../engine/kernels/tensor';
import type { Pass } from '../engine/pass';
import { shouldPreconvertInputs } from '../engine/gather-rows';
import { Random } from '../engine/random';
import type { CompiledRun } from '../model-spec';

export interface Batch {
  /** Counted from 0. */
  readonly epoch: number;
  /** Counted from 0 in its epoch. */
  readonly index: number;
  /** The sample indices of the epoch; those of the batch are [from, from + size). */
  readonly order: Uint32Array;
  readonly from: number;
  readonly size: number;
  /** The seed of all other random draws of the step. */
  readonly seed: number;
}

/** All inputs in the network's precision. */
export const inputsInPrecision = ({ inputs, samples }: Dataset, precision: Precision): TensorData =>
  shouldPreconvertInputs(precision, inputs.BYTES_PER_ELEMENT, inputs.length / samples, samples)
    ? Float32Array.from(inputs)
    : inputs;

/** Loads the batch of a step, counted from 0, into a training pass: a pure function of the run and the step. */
export function loadBatch(
  { dataset, targets, augmentations }: CompiledRun,
  pass: Pass,
  { order, from, seed }: Batch,
  step: number,
  inputs = dataset.inputs,
): void {
  pass.loadBatch(inputs, targets, order, from);
  if (augmentations.length > 0) augment(augmentations, pass.input, seed, step);
  pass.sampleMasks(seed, step);
}

export class Batches {
  readonly batchesPerEpoch: number;
  /** The epoch of `#order`. */
  #epoch = -1;
  #seed = NaN;
  #order: Uint32Array;

  /** @param samples sample indices of the train split. @param seedAt the seed of a step, counted from 0. */
  constructor(
    readonly samples: Uint32Array,
    readonly batchSize: number,
    readonly shuffle: boolean,
    readonly seedAt: (step: number) => number,
  ) {
    this.batchesPerEpoch = Math.ceil(samples.length / batchSize);
    this.#order = samples;
  }

  /** The batch of step `step`, counted from 0. */
  at(step: number): Batch {
    const epoch = Math.floor(step / this.batchesPerEpoch);
    const index = step - epoch * this.batchesPerEpoch;
    const from = index * this.batchSize;
    const size = Math.min(this.batchSize, this.samples.length - from);
    const seed = this.seedAt(step);
    return { epoch, index, order: this.#orderOf(epoch, seed), from, size, seed };
  }

  /**
   * The number of steps from this one on, counted from 0, whose batches have the same size and follow each other in the
   * same order.
   */
  contiguousSteps(step: number): number {
    const fullBatches = this.samples.length / this.batchSize;
    if (this.batchesPerEpoch === 1 || (!this.shuffle && Number.isInteger(fullBatches))) return Infinity;
    return Math.max(1, Math.floor(fullBatches) - (step % this.batchesPerEpoch));
  }

  #orderOf(epoch: number, seed: number): Uint32Array {
    // A full batch keeps the order of the data, so that its rows can be found there.
    if (!this.shuffle || this.batchesPerEpoch === 1) return this.samples;
    if (epoch !== this.#epoch || seed !== this.#seed) {
      const random = new Random(seed, 'shuffle').stream(String(epoch));
      const order = random.permutation(this.samples.length);
      for (let i = 0; i < order.length; i++) order[i] = this.samples[order[i]!]!;
      this.#order = order;
      this.#epoch = epoch;
      this.#seed = seed;
    }
    return this.#order;
  }
}
