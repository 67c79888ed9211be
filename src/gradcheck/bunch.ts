// The losses of many entries of a parameter, each moved by itself, in a few calls of kernels: what carrier.ts does for one,
// to the bit, where every layer on the way takes numbers side by side.
import { MemoryPlan, sizeOf, type Tensor, view } from '../engine/kernels/tensor';
import type { LossContext } from '../engine/losses/loss';
import type { Parameter, Pass } from '../engine/network';
import { isPenalized, penaltyOn } from '../engine/penalty';
import type { Stages } from './stages';

/** Most moves at a time, and bytes that what they reach may take: more would not stay in a near cache. */
export const MOST = 512;
const BYTES = 2 ** 20;

/** What a number of moves of entries of one layer goes through. */
interface Way {
  readonly moved: Tensor;
  /** From the moved columns to the losses. */
  readonly steps: readonly (() => void)[];
  readonly losses: Tensor;
}

export class Bunch {
  /** Moves at a time: two or more. */
  readonly room: number;
  readonly #pass: Pass;
  readonly #stages: Stages;
  readonly #penalty: number;
  /** Which column a move reaches, which one of the input it goes by, and by how much: by move. */
  readonly #places: Tensor;
  readonly #from: Tensor;
  readonly #by: Tensor;
  readonly #losses: Tensor;
  /** What one layer gives and the next takes, in turn: moved columns, and whole outputs. */
  readonly #columns: readonly [Tensor, Tensor];
  readonly #outputs: readonly [Tensor, Tensor];
  /** By layer and number of moves. */
  readonly #ways = new Map<string, Way>();

  /** @param pass evaluated, nothing moved. */
  constructor(pass: Pass, stages: Stages) {
    this.#pass = pass;
    this.#stages = stages;
    this.#penalty = pass.penalty();
    const { batch, network: { kernels } } = pass;
    const { layers } = stages;
    // Only columns are moved until one is summed up.
    const first = layers.findIndex((_, layer) => this.takes(layer));
    const whole = Math.min(this.#endOf(first), layers.length - 1);
    const numbers = batch * Math.max(1, ...layers.slice(whole).map(({ features }) => features));
    this.room = 2 * Math.max(1, Math.floor(Math.min(MOST, BYTES / (16 * (batch + numbers))) / 2));
    const plan = new MemoryPlan(kernels.precision);
    for (const size of [1, 1, 1, 1, batch, batch, numbers, numbers]) plan.reserve([this.room * size]);
    const [places, from, by, losses, columns, otherColumns, outputs, otherOutputs] = kernels.allocate(plan);
    this.#places = places;
    this.#from = from;
    this.#by = by;
    this.#losses = losses;
    this.#columns = [columns, otherColumns];
    this.#outputs = [outputs, otherOutputs];
  }

  /** Whether entries of this layer's parameters go together. */
  takes(layer: number): boolean {
    const { layers } = this.#stages;
    return layers[layer].reach === 'weighted_sum' && layers.slice(layer + 1).every(({ reach }) => reach === 'elementwise' || reach === 'weighted_sum');
  }

  /**
   * The losses with entry `entries[i]` of the parameter at `values[i]`, all else as it is; valid until the next call. Whole
   * arrays, of `room` elements at most.
   */
  at(parameter: Parameter, entries: Uint32Array, values: Float64Array): Tensor['data'] {
    const { layer, shortName, value: { data } } = parameter;
    const { network: { kernels, model: { penalty } } } = this.#pass;
    const { layers, input } = this.#stages;
    const stage = layers[layer];
    const moves = entries.length;
    const isWeight = shortName === 'weight';
    const inputs = isWeight ? data.length / stage.features : 1;
    const [places, from, by] = [this.#places, this.#from, this.#by].map((tensor) => view(tensor, [moves]));
    for (let i = 0; i < moves; i++) {
      const entry = entries[i];
      const place = Math.floor(entry / inputs);
      places.data[i] = place;
      from.data[i] = entry - place * inputs;
      by.data[i] = values[i] - data[entry];
    }
    const { moved, steps, losses } = this.#wayOf(layer, moves);
    kernels.moveColumns(moved, stage.columns, places, by, isWeight ? (layers[layer - 1]?.columns ?? input) : null, from);
    for (const step of steps) step();
    const penalized = penalty && isPenalized(penalty, parameter) ? penalty : null;
    for (let i = 0; i < moves; i++) {
      const change = penalized ? penaltyOn(penalized, values[i]) - penaltyOn(penalized, data[entries[i]]) : 0;
      losses.data[i] = losses.data[i] + this.#penalty + change;
    }
    return losses.data;
  }

  /** The first layer after one that does more than carry a column on. */
  #endOf(layer: number): number {
    let end = layer + 1;
    while (this.#stages.layers[end]?.reach === 'elementwise') end++;
    return end;
  }

  #wayOf(layer: number, moves: number): Way {
    const name = `${layer} ${moves}`;
    let way = this.#ways.get(name);
    if (!way) this.#ways.set(name, (way = this.#makeWay(layer, moves)));
    return way;
  }

  #makeWay(first: number, moves: number): Way {
    const { network: { kernels }, batch, training } = this.#pass;
    const { layers } = this.#stages;
    const places = view(this.#places, [moves]);
    const steps: (() => void)[] = [];
    const forward = (layer: number, input: Tensor, output: Tensor): void => {
      const { definition, options, parameters: own } = layers[layer];
      const parameters = Object.fromEntries(own.map(({ shortName, value }) => [shortName, value]));
      const context = { kernels, options, parameters, buffers: {}, training, input, output, drawn: null, workspace: [] };
      steps.push(() => definition.forward(context));
    };
    const [moved, other] = this.#columns.map((tensor) => view(tensor, [moves, batch]));
    let column = moved;
    const end = this.#endOf(first);
    for (let layer = first + 1; layer < end; layer++) {
      const next = column === moved ? other : moved;
      forward(layer, column, next);
      column = next;
    }
    const outputOf = (of: number): Tensor => view(this.#outputs[of % 2], [moves, batch, layers[of].features]);
    const { columns, rows } = layers[end - 1];
    const weights = layers[end]?.weights;
    const output = outputOf(weights ? end : end - 1);
    if (weights) steps.push(() => kernels.addShares(output, layers[end].rows, column, columns, weights, places));
    else steps.push(() => kernels.placeColumns(output, rows, column, places));
    const sample = (of: number): Tensor => view(this.#outputs[of % 2], [moves * batch, layers[of].features]);
    for (let layer = end + 1; layer < layers.length; layer++) forward(layer, sample(layer - 1), sample(layer));
    const losses = view(this.#losses, [moves]);
    steps.push(this.#lossesOf(outputOf(layers.length - 1), losses));
    return { moved, steps, losses };
  }

  #lossesOf(prediction: Tensor, losses: Tensor): () => void {
    const { network: { kernels, model: { loss: { definition, options } } }, target, prediction: { shape } } = this.#pass;
    const context = (one: Tensor): LossContext<unknown> => ({ kernels, options, prediction: one, target });
    const { values } = definition;
    if (values) {
      const all = context(prediction);
      return () => values(all, losses);
    }
    const size = sizeOf(shape);
    const each = Array.from(losses.data, (_, i) => context({ shape, data: prediction.data.subarray(i * size, (i + 1) * size) }));
    return () => each.forEach((one, i) => (losses.data[i] = definition.value(one)));
  }
}
