// The losses of many entries of a parameter, each perturbed on its own, in a few kernel calls. Bitwise equal to
// incremental-forward.ts, which handles one entry at a time. Requires that every layer after the entry supports batched
// columns.
import { MemoryPlan, type Tensor, view } from '../engine/kernels/tensor';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { isChainFrom } from '../engine/network-graph';
import { addPenalties, type BatchedLosses, lossStep, MAX_PERTURBATIONS } from './batched-losses';
import type { LayerActivations } from './cached-activations';

/** The bytes that perturbations may use, so that they stay in a near cache. */
const MAX_BYTES = 2 ** 20;

/** The kernel calls for a number of perturbations of one layer. */
interface PerturbationPlan {
  readonly perturbedColumns: Tensor;
  /** From the perturbed columns to the losses. */
  readonly steps: readonly (() => void)[];
  readonly losses: Tensor;
}

export class PerturbationBatch implements BatchedLosses {
  readonly capacity: number;
  readonly #pass: Pass;
  readonly #activations: readonly LayerActivations[];
  readonly #penalty: number;
  /** For each perturbation: the output column that it changes, the input column that it depends on, and the step. */
  readonly #outputColumns: Tensor;
  readonly #inputColumns: Tensor;
  readonly #deltas: Tensor;
  readonly #losses: Tensor;
  /** Two alternating buffers each for the output of one layer and the input of the next: columns, and whole outputs. */
  readonly #columnBuffers: readonly [Tensor, Tensor];
  readonly #outputBuffers: readonly [Tensor, Tensor];
  /** Plans, keyed by layer and number of perturbations. */
  readonly #plans = new Map<string, PerturbationPlan>();

  /** @param pass evaluated without perturbation */
  constructor(pass: Pass, layers: readonly LayerActivations[]) {
    this.#pass = pass;
    this.#activations = layers;
    this.#penalty = pass.penalty();
    const {
      batchSize,
      network: { kernels },
    } = pass;
    // Only columns are perturbed up to the first sum over columns.
    const first = layers.findIndex((_, layer) => this.supports(layer));
    const whole = Math.min(this.#columnRangeEnd(first), layers.length - 1);
    const numbers = batchSize * Math.max(1, ...layers.slice(whole).map(({ features }) => features));
    this.capacity =
      2 * Math.max(1, Math.floor(Math.min(MAX_PERTURBATIONS, MAX_BYTES / (16 * (batchSize + numbers))) / 2));
    const plan = new MemoryPlan(kernels.precision);
    for (const size of [1, 1, 1, 1, batchSize, batchSize, numbers, numbers]) plan.reserve([this.capacity * size]);
    const [places, from, by, losses, columns, otherColumns, outputs, otherOutputs] = kernels.allocate(plan) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    this.#outputColumns = places;
    this.#inputColumns = from;
    this.#deltas = by;
    this.#losses = losses;
    this.#columnBuffers = [columns, otherColumns];
    this.#outputBuffers = [outputs, otherOutputs];
  }

  /** Whether entries of this layer's parameters can be batched. */
  supports(layer: number): boolean {
    const layers = this.#activations;
    return (
      // A custom penalty needs each perturbed entry in its place.
      this.#pass.network.model.penalty?.custom === undefined &&
      // The losses are computed from the last layer's output alone.
      this.#pass.losses.length === 1 &&
      layers[layer]!.reach === 'weighted_sum' &&
      isChainFrom(this.#pass.network.model, layer + 1) &&
      layers.slice(layer + 1).every(({ reach }) => reach === 'elementwise' || reach === 'weighted_sum')
    );
  }

  lossesAt(parameter: Parameter, entries: Uint32Array, values: Float64Array): Tensor['data'] {
    const {
      layer,
      shortName,
      value: { data },
    } = parameter;
    const {
      network: { kernels },
    } = this.#pass;
    const activations = this.#activations[layer]!;
    const count = entries.length;
    const isWeight = shortName === 'weight';
    const inputs = isWeight ? data.length / activations.features : 1;
    const [outputColumns, inputColumns, deltas] = [this.#outputColumns, this.#inputColumns, this.#deltas].map(
      (tensor) => view(tensor, [count]),
    ) as [Tensor, Tensor, Tensor];
    for (let i = 0; i < count; i++) {
      const entry = entries[i]!;
      const outputColumn = Math.floor(entry / inputs);
      outputColumns.data[i] = outputColumn;
      inputColumns.data[i] = entry - outputColumn * inputs;
      deltas.data[i] = values[i]! - data[entry]!;
    }
    const { perturbedColumns, steps, losses } = this.#planFor(layer, count);
    kernels.perturbColumns(
      perturbedColumns,
      activations.transposedOutput,
      outputColumns,
      deltas,
      isWeight ? activations.transposedInput : null,
      inputColumns,
    );
    for (const step of steps) step();
    addPenalties(this.#pass, this.#penalty, parameter, entries, values, losses.data);
    return losses.data;
  }

  /** The first layer after this one that does not just pass a column on. */
  #columnRangeEnd(layer: number): number {
    let end = layer + 1;
    while (this.#activations[end]?.reach === 'elementwise') end++;
    return end;
  }

  #planFor(layer: number, count: number): PerturbationPlan {
    const key = `${layer} ${count}`;
    let plan = this.#plans.get(key);
    if (!plan) this.#plans.set(key, (plan = this.#buildPlan(layer, count)));
    return plan;
  }

  #buildPlan(first: number, count: number): PerturbationPlan {
    const {
      network: { kernels },
      batchSize,
      training,
    } = this.#pass;
    const layers = this.#activations;
    const outputColumns = view(this.#outputColumns, [count]);
    const steps: (() => void)[] = [];
    const forward = (layer: number, input: Tensor, output: Tensor): void => {
      const { definition, options, parameters: ownParameters } = layers[layer]!;
      const parameters = Object.fromEntries(ownParameters.map(({ shortName, value }) => [shortName, value]));
      const context = {
        kernels,
        options,
        parameters,
        buffers: {},
        otherInputs: [],
        training,
        input,
        output,
        mask: null,
        workspace: [],
        internals: {},
      };
      steps.push(() => definition.forward(context));
    };
    const [perturbedColumns, otherColumns] = this.#columnBuffers.map((tensor) => view(tensor, [count, batchSize])) as [
      Tensor,
      Tensor,
    ];
    let column = perturbedColumns;
    const end = this.#columnRangeEnd(first);
    for (let layer = first + 1; layer < end; layer++) {
      const next = column === perturbedColumns ? otherColumns : perturbedColumns;
      forward(layer, column, next);
      column = next;
    }
    const outputOf = (of: number): Tensor =>
      view(this.#outputBuffers[of % 2]!, [count, batchSize, layers[of]!.features]);
    const { transposedOutput, output: rows } = layers[end - 1]!;
    const weights = layers[end]?.transposedWeight;
    const output = outputOf(weights ? end : end - 1);
    if (weights)
      steps.push(() =>
        kernels.rank1Update(output, layers[end]!.output, column, transposedOutput, weights, outputColumns),
      );
    else steps.push(() => kernels.replaceColumns(output, rows, column, outputColumns));
    const flattenedOutputOf = (of: number): Tensor =>
      view(this.#outputBuffers[of % 2]!, [count * batchSize, layers[of]!.features]);
    for (let layer = end + 1; layer < layers.length; layer++)
      forward(layer, flattenedOutputOf(layer - 1), flattenedOutputOf(layer));
    const losses = view(this.#losses, [count]);
    steps.push(lossStep(this.#pass, outputOf(layers.length - 1), losses));
    return { perturbedColumns, steps, losses };
  }
}
