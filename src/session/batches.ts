// Which samples a step trains on: a pure function of the seed and the step, so that nothing has to be
// kept to go back. Every epoch sees every training sample once, in a new order unless told otherwise.
import { augment } from '../engine/augmentations/augmentation';
import type { Pass } from '../engine/network';
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
}

/** Fills a training pass with the batch of a step, counted from 0: a pure function of the run and the step. */
export function loadBatch({ dataset, targets, augmentations, seed }: CompiledRun, pass: Pass, { order, from }: Batch, step: number): void {
  pass.load(dataset.inputs, targets, order, from);
  if (augmentations.length > 0) augment(augmentations, pass.input, seed, step);
  pass.drawFor(seed, step);
}

export class Batches {
  readonly perEpoch: number;
  /** Of `#order`. */
  #epoch = -1;
  #order: Uint32Array;

  /** @param samples sample numbers of the training part. */
  constructor(
    readonly samples: Uint32Array,
    readonly batchSize: number,
    readonly shuffle: boolean,
    readonly seed: number,
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
    return { epoch, index, order: this.#orderOf(epoch), from, size };
  }

  #orderOf(epoch: number): Uint32Array {
    // A full batch keeps the order of the data, so that its rows can be found there.
    if (!this.shuffle || this.perEpoch === 1) return this.samples;
    if (epoch !== this.#epoch) {
      const random = new Random(this.seed, 'shuffle').stream(String(epoch));
      const order = random.permutation(this.samples.length);
      for (let i = 0; i < order.length; i++) order[i] = this.samples[order[i]];
      this.#order = order;
      this.#epoch = epoch;
    }
    return this.#order;
  }
}
