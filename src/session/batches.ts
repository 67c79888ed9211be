// Which samples a step trains on: a pure function of the seed and the step, so that nothing has to be
// kept to go back. Every epoch sees every training sample once, in a new order unless told otherwise.
import { augment } from '../engine/augmentations/augmentation';
import type { Dataset } from '../engine/datasets/dataset';
import type { Precision, TensorData } from '../engine/kernels/tensor';
import type { Pass } from '../engine/network';
import { isRoundedOnce } from '../engine/pass';
import { Random } from '../engine/random';
import type { CompiledRun } from '../spec/compiled';

export interface Batch {
  /** Counted from 0. */
  readonly epoch: number;
  /** Counted from 0 in its epoch. */
  readonly index: number;
  /** Sample numbers of the epoch; those of the batch are [from, from + size). */
  readonly order: Uint32Array;
  readonly from: number;
  readonly size: number;
  /** What else its step draws comes from this one. */
  readonly seed: number;
}

/** All inputs as the network holds them. */
export const roundedInputs = ({ inputs, samples }: Dataset, precision: Precision): TensorData =>
  isRoundedOnce(precision, inputs.BYTES_PER_ELEMENT, inputs.length / samples, samples) ? Float32Array.from(inputs) : inputs;

/** Fills a training pass with the batch of a step, counted from 0: a pure function of the run and the step. */
export function loadBatch(
  { dataset, targets, augmentations }: CompiledRun, pass: Pass, { order, from, seed }: Batch, step: number, inputs = dataset.inputs,
): void {
  pass.load(inputs, targets, order, from);
  if (augmentations.length > 0) augment(augmentations, pass.input, seed, step);
  pass.drawFor(seed, step);
}

export class Batches {
  readonly perEpoch: number;
  /** Of `#order`. */
  #epoch = -1;
  #seed = NaN;
  #order: Uint32Array;

  /** @param samples sample numbers of the training part. @param seedAt the seed of a step, counted from 0. */
  constructor(
    readonly samples: Uint32Array,
    readonly batchSize: number,
    readonly shuffle: boolean,
    readonly seedAt: (step: number) => number,
  ) {
    this.perEpoch = Math.ceil(samples.length / batchSize);
    this.#order = samples;
  }

  /** The batch that step `step`, counted from 0, trains on. */
  at(step: number): Batch {
    const epoch = Math.floor(step / this.perEpoch);
    const index = step - epoch * this.perEpoch;
    const from = index * this.batchSize;
    const size = Math.min(this.batchSize, this.samples.length - from);
    const seed = this.seedAt(step);
    return { epoch, index, order: this.#orderOf(epoch, seed), from, size, seed };
  }

  /** How many steps from this one on, counted from 0, take batches of one size that follow each other in one order, over and over. */
  alike(step: number): number {
    const whole = this.samples.length / this.batchSize;
    if (this.perEpoch === 1 || (!this.shuffle && Number.isInteger(whole))) return Infinity;
    return Math.max(1, Math.floor(whole) - (step % this.perEpoch));
  }

  #orderOf(epoch: number, seed: number): Uint32Array {
    // A full batch keeps the order of the data, so that its rows can be found there.
    if (!this.shuffle || this.perEpoch === 1) return this.samples;
    if (epoch !== this.#epoch || seed !== this.#seed) {
      const random = new Random(seed, 'shuffle').stream(String(epoch));
      const order = random.permutation(this.samples.length);
      for (let i = 0; i < order.length; i++) order[i] = this.samples[order[i]];
      this.#order = order;
      this.#epoch = epoch;
      this.#seed = seed;
    }
    return this.#order;
  }
}
