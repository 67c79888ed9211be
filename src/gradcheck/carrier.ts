// The loss with one entry moved, computing only what the entry reaches: a weight of a weighted sum changes one
// column, activations carry that column on, the next weighted sum gets the column's share added to all of its
// outputs, and only what follows is computed in full. Knows forward code alone, and no layer by name.
import { MemoryPlan, type Tensor } from '../engine/kernels/tensor';
import type { ForwardContext, LayerDefinition, Reach } from '../engine/layers/layer';
import type { Parameter, Pass } from '../engine/network';
import { isPenalized, penaltyOn } from '../engine/penalty';
import type { KinkedLayer } from './kinks';

/** What a layer gave when nothing was moved, and one column of it while something is. */
interface Stage {
  readonly definition: LayerDefinition;
  readonly reach: Reach | undefined;
  /** Numbers of one sample's output. */
  readonly features: number;
  readonly parameters: readonly Parameter[];
  /** The output as it was, sample after sample. */
  readonly rows: Tensor;
  /** The same, feature after feature. */
  readonly columns: Float64Array;
  /** The moved column, [batch, 1]. */
  readonly column: Tensor;
  /** Of a weighted sum: its weights by input, [inputs, features]. */
  readonly weights: Float64Array;
  /** How `forward` makes the moved column from that of the layer before. */
  context: ForwardContext<unknown>;
}

export class Carrier {
  readonly #pass: Pass;
  readonly #batch: number;
  readonly #stages: readonly Stage[];
  /** The batch, feature after feature. */
  readonly #input: Float64Array;
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
  #slopes: Float64Array | null = null;
  #slopesFrom = 0;
  /** The first layer after the entry's that does more than carry the column on. */
  #end = 0;

  /**
   * @param pass evaluated, nothing moved; the numbers of its parameters and batch are copied.
   * @param seams of the loss; null where it is in one piece.
   */
  constructor(
    pass: Pass,
    readonly seams: KinkedLayer | null,
  ) {
    const { network, batch, outputs } = pass;
    const { kernels, model } = network;
    this.#pass = pass;
    this.#batch = batch;
    this.#penalty = pass.penalty();
    const plan = new MemoryPlan(kernels.precision);
    plan.reserve([1]);
    for (let i = 0; i <= outputs.length; i++) plan.reserve([batch, 1]);
    const [moved, inputColumn, ...columns] = kernels.allocate(plan);
    this.#moved = moved;
    this.#input = transposed(pass.input.data, pass.input.data.length / batch);
    this.#stages = model.layers.map(({ definition, options }, layer) => {
      const { shape, data } = outputs[layer];
      const features = data.length / batch;
      const inputs = pass.inputOf(layer).data.length / batch;
      const parameters = network.parameters.filter((parameter) => parameter.layer === layer);
      const reach = fits(definition.reach, inputs, features, parameters) ? definition.reach : undefined;
      const weight = reach === 'weighted_sum' ? parameters.find(({ shortName }) => shortName === 'weight') : undefined;
      return {
        definition, reach, features, parameters,
        rows: { shape, data: Float64Array.from(data) },
        columns: transposed(data, features),
        column: columns[layer],
        weights: weight ? transposed(weight.value.data, inputs) : new Float64Array(0),
        context: { kernels, options, parameters: {}, buffers: {}, training: pass.training, input: columns[layer - 1] ?? inputColumn, output: columns[layer], drawn: null, workspace: [] },
      };
    });
  }

  /** Takes the entry on, unless its layer does not say what the entry reaches. */
  select(parameter: Parameter, index: number): boolean {
    const { layer, shortName, value } = parameter;
    const { penalty } = this.#pass.network.model;
    const stage = this.#stages[layer];
    if (!stage.reach) return false;
    const isWeight = stage.reach === 'weighted_sum' && shortName === 'weight';
    const inputs = isWeight ? stage.weights.length / stage.features : 1;
    this.#layer = layer;
    this.#feature = Math.floor(index / inputs);
    this.#start = value.data[index];
    this.#penalized = penalty !== undefined && isPenalized(penalty, parameter);
    this.#slopes = isWeight ? this.#columnsInto(layer) : null;
    this.#slopesFrom = (index % inputs) * this.#batch;
    this.#end = layer + 1;
    while (this.#stages[this.#end]?.reach === 'columnwise') this.#end++;
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
      const { rows, column } = this.#stages[layer - 1];
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

  #moveColumn({ columns, column: { data } }: Stage, by: number): void {
    const batch = this.#batch;
    const from = this.#feature * batch;
    const slopes = this.#slopes;
    const at = this.#slopesFrom;
    if (slopes) for (let i = 0; i < batch; i++) data[i] = columns[from + i] + by * slopes[at + i];
    else for (let i = 0; i < batch; i++) data[i] = columns[from + i] + by;
  }

  /** The output of a weighted sum whose input moved in one column. */
  #addShare(layer: number): void {
    const { columns, column } = this.#stages[layer - 1];
    const { rows, weights, features } = this.#stages[layer];
    const { data } = this.#pass.outputs[layer];
    const from = this.#feature * this.#batch;
    const first = this.#feature * features;
    for (let i = 0, at = 0; i < this.#batch; i++) {
      const by = column.data[i] - columns[from + i];
      for (let j = first; j < first + features; j++, at++) data[at] = rows.data[at] + by * weights[j];
    }
  }

  /** A layer's whole output, all as it was but for one column. */
  #placeColumn(layer: number): void {
    const { rows, column, features } = this.#stages[layer];
    const { data } = this.#pass.outputs[layer];
    data.set(rows.data);
    for (let i = 0, at = this.#feature; i < this.#batch; i++, at += features) data[at] = column.data[i];
  }

  #setInputColumn(layer: number): void {
    const from = this.#feature * this.#batch;
    const { data } = this.#stages[layer].context.input;
    data.set(this.#columnsInto(layer).subarray(from, from + this.#batch));
  }

  #columnsInto(layer: number): Float64Array {
    return layer === 0 ? this.#input : this.#stages[layer - 1].columns;
  }

  #unmoved(layer: number): Tensor {
    const from = this.#feature * this.#batch;
    return { shape: [this.#batch, 1], data: this.#stages[layer].columns.subarray(from, from + this.#batch) };
  }

  /** The parameters of a single column, the entry among them if `moved` names it. */
  #ofColumn(parameters: readonly Parameter[], moved: string): Record<string, Tensor> {
    const one = ({ shortName, value: { data } }: Parameter): Tensor =>
      shortName === moved ? this.#moved : { shape: [1], data: data.subarray(this.#feature, this.#feature + 1) };
    return Object.fromEntries(parameters.map((parameter) => [parameter.shortName, one(parameter)]));
  }
}

/** Whether shapes are what the declaration says they are. */
export function fits(reach: Reach | undefined, inputs: number, features: number, parameters: readonly Parameter[]): boolean {
  if (reach === 'columnwise') return inputs === features && parameters.every(({ value }) => value.data.length === features);
  return parameters.every(({ shortName, value: { shape, data } }) => {
    if (shortName === 'weight') return shape[0] === features && data.length === features * inputs;
    return shortName === 'bias' && data.length === features;
  });
}

/** [m, n] to [n, m]. */
function transposed(data: Tensor['data'], n: number): Float64Array {
  const m = data.length / n;
  const out = new Float64Array(data.length);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = data[i * n + j];
  return out;
}
