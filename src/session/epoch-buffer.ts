// The samples of an epoch in kernel memory, in training order, so that a compiled step can read batch after batch on
// its own.
import type { InputStream } from '../engine/kernels/kernels';
import { MemoryPlan, numel, type Tensor } from '../engine/kernels/tensor';
import type { Network } from '../engine/network';
import { maskShapeOf } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { gatherRows } from '../engine/gather-rows';
import type { CompiledRun } from '../model-spec';

/** Maximum number of input and target elements, a megabyte; copying more per epoch would be noticeable. */
const MAX_ELEMENTS = 2 ** 18;

export class EpochBuffer {
  readonly #run: CompiledRun;
  readonly #input: Tensor;
  readonly #target: Tensor;
  #order: Uint32Array | null = null;

  constructor(network: Network, run: CompiledRun) {
    this.#run = run;
    const { input, target } = network.trainingPass(run.batchSize);
    const plan = new MemoryPlan(network.kernels.precision);
    for (const { shape } of [input, target]) plan.reserve([run.split.train.length, ...shape.slice(1)]);
    [this.#input, this.#target] = network.kernels.allocate(plan) as [Tensor, Tensor];
  }

  /** Whether steps use the samples unchanged and without random draws, and there are few enough of them to copy. */
  static canBuffer({ model }: Network, { augmentations, dataset, split }: CompiledRun): boolean {
    const elements =
      dataset.inputs.length + split.train.length * numel(model.layers.at(-1)?.outputShape ?? model.inputShape);
    return augmentations.length === 0 && model.layers.every((layer) => !maskShapeOf(layer)) && elements <= MAX_ELEMENTS;
  }

  /** The streams for a pass of this size: all full batches, or the smaller last one. */
  streamsFor(pass: Pass): InputStream[] {
    const samples = this.#run.split.train.length;
    const rest = samples % this.#run.batchSize;
    const [from, rows] = pass.batchSize === rest ? [samples - rest, rest] : [0, samples - rest];
    const streamOf = (to: Tensor, all: Tensor): InputStream => {
      const width = all.data.length / samples;
      return {
        to,
        from: { shape: [rows, ...all.shape.slice(1)], data: all.data.subarray(from * width, (from + rows) * width) },
      };
    };
    return [streamOf(pass.input, this.#input), streamOf(pass.target, this.#target)];
  }

  /** Copies the samples of an epoch, unless they are already there. */
  fill(order: Uint32Array): void {
    if (order === this.#order) return;
    this.#order = order;
    const { dataset, targets } = this.#run;
    gatherRows(this.#input, dataset.inputs, order, 0);
    gatherRows(this.#target, targets, order, 0);
  }
}
