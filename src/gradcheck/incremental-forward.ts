// The loss with one perturbed entry, computing only what the entry reaches: a weight of a weighted sum changes one
// column, activations pass that column on, the next weighted sum adds the column's contribution to all of its outputs,
// and everything that depends on that is computed in full. Uses only forward code, and no layer by name.
import { MemoryPlan, type Tensor } from '../engine/kernels/tensor';
import type { ForwardContext } from '../engine/layers/layer';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { dependentsOf } from '../engine/network-graph';
import { customPenaltyValue, isPenalized, scalarPenalty } from '../engine/penalty';
import type { KinkedLayer } from './kinks';
import { actsPerFeature, type LayerActivations } from './cached-activations';

/** How `forward` computes the perturbed column, [batch, 1], from that of the layer before. */
interface ColumnStage extends LayerActivations {
  context: ForwardContext<unknown>;
}

/** What the entries of a parameter reach, and how it is computed. */
interface Route {
  /** The parameter's layer and those after it through which a column goes; none where layers are computed in full. */
  readonly columns: readonly number[];
  /** The weighted sum that takes the last column. */
  readonly weightedSum: number | null;
  /** All layers that take a column of the one before. */
  readonly columnConsumers: readonly number[];
  /** Layers that are computed in full. */
  readonly full: readonly number[];
}

export class IncrementalForward {
  readonly #pass: Pass;
  readonly #batch: number;
  readonly #stages: readonly ColumnStage[];
  /** The route of each parameter; null if the whole network has to be computed. */
  readonly #routes = new Map<Parameter, Route | null>();
  /** The penalty of all parameters, unperturbed. */
  readonly #penalty: number;
  /** The custom part of it. */
  readonly #customPenalty: number;
  /** The entry as a parameter of a single column. */
  readonly #perturbedEntry: Tensor;
  /** The entry: its parameter, its index in it, the column of the layer's output that it reaches, its value. */
  #parameter: Parameter | null = null;
  #index = 0;
  #route: Route = { columns: [], weightedSum: null, columnConsumers: [], full: [] };
  #feature = 0;
  #startValue = 0;
  #isPenalized = false;
  /** The derivative of the column with respect to the entry: `batch` numbers from an offset; null if it is 1. */
  #columnDerivative: Tensor['data'] | null = null;
  #columnDerivativeOffset = 0;

  /**
   * @param pass evaluated without perturbation
   * @param kinkedLosses the kinks of each loss that has any
   */
  constructor(
    pass: Pass,
    layers: readonly LayerActivations[],
    readonly kinkedLosses: readonly KinkedLayer[],
  ) {
    const { network, batchSize, outputs } = pass;
    const { kernels } = network;
    this.#pass = pass;
    this.#batch = batchSize;
    this.#penalty = pass.penalty();
    this.#customPenalty = pass.customPenalty();
    const plan = new MemoryPlan(kernels.precision);
    plan.reserve([1]);
    for (let i = 0; i <= outputs.length; i++) plan.reserve([batchSize, 1]);
    const [moved, inputColumn, ...columns] = kernels.allocate(plan) as [Tensor, Tensor, ...Tensor[]];
    this.#perturbedEntry = moved;
    this.#stages = layers.map((stage, i) => ({
      ...stage,
      context: {
        kernels,
        options: stage.options,
        parameters: {},
        buffers: {},
        otherInputs: [],
        training: pass.training,
        input: columns[stage.source] ?? inputColumn,
        output: columns[i]!,
        mask: null,
        workspace: [],
        internals: {},
      },
    }));
  }

  /** Selects the entry; false if the whole network has to be computed. */
  select(parameter: Parameter, index: number): boolean {
    if (this.#parameter !== parameter) this.#restoreOutputs();
    this.#parameter = parameter;
    const route = this.#routeOf(parameter);
    if (!route) return false;
    const { layer, shortName, value } = parameter;
    const { penalty } = this.#pass.network.model;
    const stage = this.#stages[layer]!;
    const isWeight = stage.reach === 'weighted_sum' && shortName === 'weight';
    const inputs = isWeight ? value.data.length / stage.features : 1;
    this.#route = route;
    this.#index = index;
    this.#feature = Math.floor(index / inputs);
    this.#startValue = value.data[index]!;
    this.#isPenalized = penalty !== undefined && isPenalized(penalty, parameter);
    this.#columnDerivative = isWeight ? stage.transposedInput.data : null;
    this.#columnDerivativeOffset = (index % inputs) * this.#batch;
    for (const at of route.columns) {
      const { reach, parameters, context } = this.#stages[at]!;
      if (reach !== 'columnwise' || parameters.length === 0) continue;
      this.#stages[at]!.context = {
        ...context,
        parameters: this.#columnParameters(parameters, at === layer ? shortName : ''),
      };
    }
    if (stage.reach === 'columnwise' && route.columns.length > 0) this.#setInputColumn(layer);
    return true;
  }

  /** The loss with the entry set to `value`. */
  lossAt(value: number): number {
    const { columns, weightedSum, full } = this.#route;
    if (columns.length === 0) this.#parameter!.value.data[this.#index] = value;
    else this.#perturbFirst(this.#stages[columns[0]!]!, value);
    for (let i = 1; i < columns.length; i++) {
      const { definition, context } = this.#stages[columns[i]!]!;
      definition.forward(context);
    }
    if (weightedSum !== null) this.#addRank1Update(weightedSum);
    else if (columns.length > 0) this.#replaceColumn(columns[columns.length - 1]!);
    for (let i = 0; i < full.length; i++) this.#pass.forward(full[i]!);
    return this.#pass.dataLoss() + this.#penalty + this.#penaltyChange(value);
  }

  /** Whether the last `lossAt` was on the other side of a kink than the start, or either was on one. */
  crossedKink(): boolean {
    const { columnConsumers, full } = this.#route;
    return (
      columnConsumers.some((layer) => {
        const { definition, options, source } = this.#stages[layer]!;
        return definition.crossesKink?.(this.#unperturbedColumn(source), this.#stages[source]!.context.output, options);
      }) ||
      full.some((layer) => {
        const { definition, options, source } = this.#stages[layer]!;
        const before = this.#stages[source];
        return before && definition.crossesKink?.(before.output, this.#pass.layerInput(layer), options);
      }) ||
      this.kinkedLosses.some(({ kinks, layer, startInput }) =>
        kinks.isCrossed(startInput, this.#pass.layerInput(layer)),
      )
    );
  }

  #routeOf(parameter: Parameter): Route | null {
    let route = this.#routes.get(parameter);
    if (route === undefined) this.#routes.set(parameter, (route = this.#findRoute(parameter)));
    return route;
  }

  #findRoute({ layer, users }: Parameter): Route | null {
    const { model } = this.#pass.network;
    const stages = this.#stages;
    if (users.length > 1 || !stages[layer]!.reach) {
      const full = dependentsOf(model, users);
      return full.length < stages.length - layer ? { columns: [], weightedSum: null, columnConsumers: [], full } : null;
    }
    const columns = [layer];
    let next = stages[layer]!.successor;
    for (; next !== null && actsPerFeature(stages[next]!.reach); next = stages[next]!.successor) columns.push(next);
    const weightedSum = next !== null && stages[next]!.reach === 'weighted_sum' ? next : null;
    const last = weightedSum ?? columns.at(-1)!;
    const columnConsumers = weightedSum === null ? columns.slice(1) : [...columns.slice(1), weightedSum];
    return { columns, weightedSum, columnConsumers, full: dependentsOf(model, [last]).slice(1) };
  }

  /** Layers beside those that depend on the next entry may still hold what the last one gave. */
  #restoreOutputs(): void {
    if (!this.#parameter) return;
    const { network, outputs } = this.#pass;
    for (const layer of dependentsOf(network.model, this.#parameter.users))
      outputs[layer]!.data.set(this.#stages[layer]!.output.data);
  }

  #perturbFirst(stage: ColumnStage, value: number): void {
    if (stage.reach === 'weighted_sum') this.#perturbColumn(stage, value - this.#startValue);
    else {
      this.#perturbedEntry.data[0] = value;
      stage.definition.forward(stage.context);
    }
  }

  /** The change of the penalty, which is a sum over single numbers, unless it is a custom one. */
  #penaltyChange(value: number): number {
    const {
      model: { penalty },
      parameters,
    } = this.#pass.network;
    if (!penalty) return 0;
    const change = this.#isPenalized ? scalarPenalty(penalty, value) - scalarPenalty(penalty, this.#startValue) : 0;
    if (!penalty.custom) return change;
    const { data } = this.#parameter!.value;
    const current = data[this.#index]!;
    data[this.#index] = value;
    const custom = customPenaltyValue(penalty, parameters);
    data[this.#index] = current;
    return change + custom - this.#customPenalty;
  }

  #perturbColumn(
    {
      transposedOutput: { data: columns },
      context: {
        output: { data },
      },
    }: ColumnStage,
    delta: number,
  ): void {
    const batch = this.#batch;
    const offset = this.#feature * batch;
    const derivative = this.#columnDerivative;
    const derivativeOffset = this.#columnDerivativeOffset;
    if (derivative)
      for (let i = 0; i < batch; i++) data[i] = columns[offset + i]! + delta * derivative[derivativeOffset + i]!;
    else for (let i = 0; i < batch; i++) data[i] = columns[offset + i]! + delta;
  }

  /** The output of a weighted sum with one perturbed input column. */
  #addRank1Update(layer: number): void {
    const {
      transposedOutput: { data: columns },
      context: { output: column },
    } = this.#stages[this.#stages[layer]!.source]!;
    const { output: rows, transposedWeight, features } = this.#stages[layer]!;
    if (!transposedWeight) return;
    const { data } = this.#pass.outputs[layer]!;
    const offset = this.#feature * this.#batch;
    const first = this.#feature * features;
    for (let i = 0, at = 0; i < this.#batch; i++) {
      const delta = column.data[i]! - columns[offset + i]!;
      for (let j = first; j < first + features; j++, at++)
        data[at] = rows.data[at]! + delta * transposedWeight.data[j]!;
    }
  }

  /** A layer's whole output, in which only one column changes. */
  #replaceColumn(layer: number): void {
    const {
      output: rows,
      context: { output: column },
      features,
    } = this.#stages[layer]!;
    const { data } = this.#pass.outputs[layer]!;
    data.set(rows.data);
    for (let i = 0, at = this.#feature; i < this.#batch; i++, at += features) data[at] = column.data[i]!;
  }

  #setInputColumn(layer: number): void {
    const from = this.#feature * this.#batch;
    const { context, transposedInput } = this.#stages[layer]!;
    context.input.data.set(transposedInput.data.subarray(from, from + this.#batch));
  }

  #unperturbedColumn(layer: number): Tensor {
    const from = this.#feature * this.#batch;
    return {
      shape: [this.#batch, 1],
      data: this.#stages[layer]!.transposedOutput.data.subarray(from, from + this.#batch),
    };
  }

  /** The parameters of a single column, including the entry if it belongs to the parameter `perturbedName`. */
  #columnParameters(parameters: readonly Parameter[], perturbedName: string): Record<string, Tensor> {
    const tensorOf = ({ shortName, value: { data } }: Parameter): Tensor =>
      shortName === perturbedName
        ? this.#perturbedEntry
        : { shape: [1], data: data.subarray(this.#feature, this.#feature + 1) };
    return Object.fromEntries(parameters.map((parameter) => [parameter.shortName, tensorOf(parameter)]));
  }
}
