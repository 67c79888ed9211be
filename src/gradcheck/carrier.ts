// The loss with one entry moved, computing only what the entry reaches: a weight of a weighted sum changes one
// column, activations carry that column on, the next weighted sum gets the column's share added to all of its
// outputs, and only what follows is computed in full. Knows forward code alone, and no layer by name.
import { MemoryPlan, type Tensor } from '../engine/kernels/tensor';
import type { ForwardContext } from '../engine/layers/layer';
import type { Parameter, Pass } from '../engine/network';
import { isPenalized, penaltyOn } from '../engine/penalty';
import type { KinkedLayer } from './kinks';
import { carries, type Stage, type Stages } from './stages';

/** How `forward` makes the moved column, [batch, 1], from that of the layer before. */
interface CarrierStage extends Stage {
  context: ForwardContext<unknown>;
}

export class Carrier {
  readonly #pass: Pass;
  readonly #batch: number;
  readonly #stages: readonly CarrierStage[];
  /** The batch, feature after feature. */
  readonly #input: Tensor;
  /** Of all parameters, nothing moved. */
  readonly #penalty: number;
  /** The entry as a parameter of a single column. */
  readonly #moved: Tensor;
  /** The entry: its layer, the column of the layer's output that it reaches, its value. */
  #layer = 0;
  #feature = 0;
  #start = 0;
  #penalized = false;
  /** What the column moves by as the entry moves by 1: `batch` numbers from a place on; null where it is 1. */
  #slopes: Tensor['data'] | null = null;
  #slopesFrom = 0;
  /** The first layer after the entry's that does more than carry the column on. */
  #end = 0;

  /**
   * @param pass evaluated, nothing moved.
   * @param seams of the loss; null where it is in one piece.
   */
  constructor(
    pass: Pass,
    { layers, input }: Stages,
    readonly seams: KinkedLayer | null,
  ) {
    const { network, batch, outputs } = pass;
    const { kernels } = network;
    this.#pass = pass;
    this.#batch = batch;
    this.#penalty = pass.penalty();
    const plan = new MemoryPlan(kernels.precision);
    plan.reserve([1]);
    for (let i = 0; i <= outputs.length; i++) plan.reserve([batch, 1]);
    const [moved, inputColumn, ...columns] = kernels.allocate(plan);
    this.#moved = moved;
    this.#input = input;
    this.#stages = layers.map((stage, i) => ({
      ...stage,
      context: { kernels, options: stage.options, parameters: {}, buffers: {}, training: pass.training, input: columns[i - 1] ?? inputColumn, output: columns[i], drawn: null, workspace: [] },
    }));
  }

  /** Takes the entry on, unless its layer does not say what the entry reaches. */
  select(parameter: Parameter, index: number): boolean {
    const { layer, shortName, value } = parameter;
    const { penalty } = this.#pass.network.model;
    const stage = this.#stages[layer];
    if (!stage.reach) return false;
    const isWeight = stage.reach === 'weighted_sum' && shortName === 'weight';
    const inputs = isWeight ? value.data.length / stage.features : 1;
    this.#layer = layer;
    this.#feature = Math.floor(index / inputs);
    this.#start = value.data[index];
    this.#penalized = penalty !== undefined && isPenalized(penalty, parameter);
    this.#slopes = isWeight ? this.#columnsInto(layer).data : null;
    this.#slopesFrom = (index % inputs) * this.#batch;
    this.#end = layer + 1;
    while (carries(this.#stages[this.#end]?.reach)) this.#end++;
    for (let i = layer; i < this.#end; i++) {
      const { reach, parameters, context } = this.#stages[i];
      if (reach !== 'columnwise' || parameters.length === 0) continue;
      this.#stages[i].context = { ...context, parameters: this.#ofColumn(parameters, i === layer ? shortName : '') };
    }
    if (stage.reach === 'columnwise') this.#setInputColumn(layer);
    return true;
  }

  /** The loss with the entry at `value`. */
  at(value: number): number {
    const stages = this.#stages;
    const first = stages[this.#layer];
    if (first.reach === 'weighted_sum') this.#moveColumn(first, value - this.#start);
    else {
      this.#moved.data[0] = value;
      first.definition.forward(first.context);
    }
    for (let layer = this.#layer + 1; layer < this.#end; layer++) stages[layer].definition.forward(stages[layer].context);
    let layer = this.#end;
    if (layer < stages.length && stages[layer].reach === 'weighted_sum') this.#addShare(layer++);
    else this.#placeColumn(layer - 1);
    for (; layer < stages.length; layer++) this.#pass.forward(layer);
    return this.#pass.dataLoss() + this.#penalty + this.#penaltyMovedTo(value);
  }

  /** Whether the last `at` lay on the other side of a kink than the start does, or either lay on one. */
  crossed(): boolean {
    for (let layer = this.#layer + 1; layer < this.#stages.length; layer++) {
      const { definition, reach, context } = this.#stages[layer];
      if (!definition.crossesKink) continue;
      const { rows, context: { output: column } } = this.#stages[layer - 1];
      // Ahead of #end, and where #end takes columns, all other columns are as they were.
      const whole = layer > this.#end || (layer === this.#end && reach === undefined);
      const [from, to] = whole ? [rows, this.#pass.inputOf(layer)] : [this.#unmoved(layer - 1), column];
      if (definition.crossesKink(from, to, context.options)) return true;
    }
    return this.seams?.kinks.crossed(this.seams.start, this.#pass.prediction) ?? false;
  }

  /** By how much the penalty changes with the entry: it counts each number by itself. */
  #penaltyMovedTo(value: number): number {
    const { penalty } = this.#pass.network.model;
    return penalty && this.#penalized ? penaltyOn(penalty, value) - penaltyOn(penalty, this.#start) : 0;
  }

  #moveColumn({ columns: { data: columns }, context: { output: { data } } }: CarrierStage, by: number): void {
    const batch = this.#batch;
    const from = this.#feature * batch;
    const slopes = this.#slopes;
    const at = this.#slopesFrom;
    if (slopes) for (let i = 0; i < batch; i++) data[i] = columns[from + i] + by * slopes[at + i];
    else for (let i = 0; i < batch; i++) data[i] = columns[from + i] + by;
  }

  /** The output of a weighted sum whose input moved in one column. */
  #addShare(layer: number): void {
    const { columns: { data: columns }, context: { output: column } } = this.#stages[layer - 1];
    const { rows, weights, features } = this.#stages[layer];
    if (!weights) return;
    const { data } = this.#pass.outputs[layer];
    const from = this.#feature * this.#batch;
    const first = this.#feature * features;
    for (let i = 0, at = 0; i < this.#batch; i++) {
      const by = column.data[i] - columns[from + i];
      for (let j = first; j < first + features; j++, at++) data[at] = rows.data[at] + by * weights.data[j];
    }
  }

  /** A layer's whole output, all as it was but for one column. */
  #placeColumn(layer: number): void {
    const { rows, context: { output: column }, features } = this.#stages[layer];
    const { data } = this.#pass.outputs[layer];
    data.set(rows.data);
    for (let i = 0, at = this.#feature; i < this.#batch; i++, at += features) data[at] = column.data[i];
  }

  #setInputColumn(layer: number): void {
    const from = this.#feature * this.#batch;
    const { data } = this.#stages[layer].context.input;
    data.set(this.#columnsInto(layer).data.subarray(from, from + this.#batch));
  }

  #columnsInto(layer: number): Tensor {
    return layer === 0 ? this.#input : this.#stages[layer - 1].columns;
  }

  #unmoved(layer: number): Tensor {
    const from = this.#feature * this.#batch;
    return { shape: [this.#batch, 1], data: this.#stages[layer].columns.data.subarray(from, from + this.#batch) };
  }

  /** The parameters of a single column, the entry among them if `moved` names it. */
  #ofColumn(parameters: readonly Parameter[], moved: string): Record<string, Tensor> {
    const one = ({ shortName, value: { data } }: Parameter): Tensor =>
      shortName === moved ? this.#moved : { shape: [1], data: data.subarray(this.#feature, this.#feature + 1) };
    return Object.fromEntries(parameters.map((parameter) => [parameter.shortName, one(parameter)]));
  }
}
