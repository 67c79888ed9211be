// The samples of an epoch in the order in which its steps take them, in the memory of the kernels: a step that is code of its
// own goes through them by itself, batch after batch.
import type { Feed } from '../engine/kernels/kernels';
import { MemoryPlan, sizeOf, type Tensor } from '../engine/kernels/tensor';
import type { Network, Pass } from '../engine/network';
import { gather } from '../engine/pass';
import type { CompiledRun } from '../spec/compiled';

/** Elements of all samples, a megabyte, from which on copying an epoch at a time would be felt. */
const MOST = 2 ** 18;

export class EpochInOrder {
  readonly #run: CompiledRun;
  readonly #input: Tensor;
  readonly #target: Tensor;
  #order: Uint32Array | null = null;

  constructor(network: Network, run: CompiledRun) {
    this.#run = run;
    const { input, target } = network.pass(run.batchSize);
    const plan = new MemoryPlan(network.kernels.precision);
    for (const { shape } of [input, target]) plan.reserve([run.split.train.length, ...shape.slice(1)]);
    [this.#input, this.#target] = network.kernels.allocate(plan);
  }

  /** Whether a step takes its samples as they are, and draws nothing, and there are few enough to copy. */
  static suits({ model }: Network, { augmentations, dataset, split }: CompiledRun): boolean {
    const elements = dataset.inputs.length + split.train.length * sizeOf(model.layers.at(-1)?.outputShape ?? model.inputShape);
    return augmentations.length === 0 && model.layers.every(({ definition }) => !definition.draw) && elements <= MOST;
  }

  /** Where a pass of this size takes its batches from: all of them in turn, or the rest at the end of an epoch. */
  feeds(pass: Pass): Feed[] {
    const samples = this.#run.split.train.length;
    const rest = samples % this.#run.batchSize;
    const [from, rows] = pass.batch === rest ? [samples - rest, rest] : [0, samples - rest];
    return [[pass.input, this.#input], [pass.target, this.#target]].map(([to, all]) => {
      const width = all.data.length / samples;
      return { to, from: { shape: [rows, ...all.shape.slice(1)], data: all.data.subarray(from * width, (from + rows) * width) } };
    });
  }

  /** The samples of an epoch; those of the last one are still there. */
  arrange(order: Uint32Array): void {
    if (order === this.#order) return;
    this.#order = order;
    const { dataset, targets } = this.#run;
    gather(this.#input, dataset.inputs, order, 0);
    gather(this.#target, targets, order, 0);
  }
}
