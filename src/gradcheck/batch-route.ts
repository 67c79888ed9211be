// How the losses of a parameter's perturbed entries are computed, all copies of the batch at once. Every layer that
// depends on the entry computes the copies as one large batch; a layer that uses the parameter itself computes copy by
// copy. A weight of a weighted sum changes one column of it: then only that column is computed, up to the next layer
// that mixes columns.
import type { Kernels } from '../engine/kernels/kernels';
import { asRows, MemoryPlan, numel, type Shape, type Tensor } from '../engine/kernels/tensor';
import type { ForwardContext, InnerSum } from '../engine/layers/layer';
import { consumersOf, dependentsOf, inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import {
  declaredInternals,
  internalShape,
  type LayerModel,
  macsOf,
  type Parameter,
  parametersUsedBy,
} from '../engine/network-model';
import type { Pass } from '../engine/pass';
import { BatchLayout, type Slot } from './batch-layout';
import { MAX_PERTURBATIONS } from './batched-losses';
import { type LayerActivations, transpose } from './cached-activations';

/** Bytes of all copies that a near cache holds, and the copies that products are large enough with. */
const NEAR_BYTES = 2 ** 20;
const ENOUGH_COPIES = 16;
/** Bytes of all copies, and their multiply-adds: few enough that a call ends soon. */
const MAX_BYTES = 2 ** 23;
const MAX_MACS = 1.3e8;
/** Two copies may take this many bytes. */
const MAX_BYTES_OF_TWO = 2 ** 28;

/** What the kernel calls for a number of copies work on. */
export interface Frame {
  readonly copies: number;
  /** The numbers of all copies in a slot, or of the first ones. */
  at(slot: Slot, shape: Shape): Tensor;
  /** For each copy: the column of the sum that is perturbed, the input column that it depends on, and the step. */
  readonly outputColumns: Tensor;
  readonly inputColumns: Tensor;
  readonly deltas: Tensor;
  /** The entry of each copy, and its value. */
  readonly perturbations: { entries: Uint32Array; values: Float64Array };
}

/** Prepares a part of the computation for a number of copies. */
export type Stage = (frame: Frame) => () => void;

/** A weighted sum of rows whose columns are perturbed. */
export interface RowSum {
  readonly rows: number;
  /** Entries of the parameter for each column of the output: the inputs for weights, 1 for biases. */
  readonly entries: number;
  /** Unperturbed columns: of what an entry multiplies, [inputs, rows], null for biases; and [outputs, rows]. */
  readonly inputColumns: Tensor | null;
  readonly outputColumns: Tensor;
}

export interface BatchRoute {
  /** Numbers of one copy. */
  readonly size: number;
  /** Copies at a time. */
  readonly capacity: number;
  /** Slots that hold the same unperturbed numbers for each copy. */
  readonly constants: readonly Constant[];
  /** Null if the layers that use the parameter are computed copy by copy. */
  readonly sum: RowSum | null;
  readonly stages: readonly Stage[];
  readonly prediction: Slot;
}

interface Constant {
  readonly slot: Slot;
  readonly data: Tensor['data'];
}

/** Unperturbed numbers of a pass, copied. */
export class UnperturbedNumbers {
  readonly #pass: Pass;
  readonly #activations: readonly LayerActivations[];
  readonly #input: Tensor;
  readonly #internals: readonly Readonly<Record<string, Tensor>>[];
  readonly #columns = new Map<Tensor['data'], Tensor>();

  /** @param pass evaluated without perturbation */
  constructor(pass: Pass, activations: readonly LayerActivations[]) {
    this.#pass = pass;
    this.#activations = activations;
    this.#input = this.#copyOf(pass.input);
    this.#internals = pass.network.model.layers.map((layer, i) =>
      Object.fromEntries(
        layer.definition.innerSums
          ? declaredInternals(layer).map(({ name }) => [name, this.#copyOf(pass.internal(i, name)!)])
          : [],
      ),
    );
  }

  /** The output of a layer, or the network's input. */
  output(layer: number): Tensor {
    return layer === NETWORK_INPUT ? this.#input : this.#activations[layer]!.output;
  }

  internal(layer: number, name: string): Tensor {
    return this.#internals[layer]![name]!;
  }

  /** The layer after one whose output nothing else takes; null if there is none. */
  successor(layer: number): number | null {
    return this.#activations[layer]!.successor;
  }

  /** The columns of rows of numbers, [features, rows], one tensor after the other. */
  columns(tensors: readonly Tensor[]): Tensor {
    const [first] = tensors as readonly [Tensor];
    let columns = this.#columns.get(first.data);
    if (!columns) {
      const all = tensors.map(asRows);
      const [rows] = all[0]!.shape as readonly [number];
      columns = this.#allocate([all.reduce((sum, { shape }) => sum + shape[1]!, 0), rows]);
      let from = 0;
      for (const { shape, data } of all) {
        transpose({ shape: [shape[1]!, rows], data: columns.data.subarray(from, (from += data.length)) }, data);
      }
      this.#columns.set(first.data, columns);
    }
    return columns;
  }

  #copyOf({ shape, data }: Tensor): Tensor {
    const copy = this.#allocate(shape);
    copy.data.set(data);
    return copy;
  }

  #allocate(shape: Shape): Tensor {
    const plan = new MemoryPlan(this.#pass.network.kernels.precision);
    plan.reserve(shape);
    return this.#pass.network.kernels.allocate(plan)[0]!;
  }
}

/** The route of a parameter; null if its entries must be evaluated one by one. */
export function batchRoute(pass: Pass, unperturbed: UnperturbedNumbers, parameter: Parameter): BatchRoute | null {
  const { network, masks, training } = pass;
  const { model } = network;
  const dependents = dependentsOf(model, parameter.users);
  const isSupported =
    // A custom penalty needs each perturbed entry in its place.
    model.penalty?.custom === undefined &&
    // The losses are computed from the last layer's output alone.
    pass.losses.length === 1 &&
    dependents.at(-1) === model.layers.length - 1 &&
    dependents.every((layer) => {
      const { definition } = model.layers[layer]!;
      const mixesSamples = training && definition.normalizesOver === 'batch';
      return definition.sourceLocations === undefined && !masks[layer] && !mixesSamples;
    });
  return isSupported ? new RouteBuilder(pass, unperturbed, parameter, dependents).build() : null;
}

class RouteBuilder {
  readonly #layout = new BatchLayout();
  readonly #constants = new Map<Tensor['data'], Constant>();
  readonly #stages: Stage[] = [];
  /** The perturbed outputs that later layers need. */
  readonly #outputs = new Map<number, Slot>();
  #macs = 0;

  constructor(
    readonly pass: Pass,
    readonly unperturbed: UnperturbedNumbers,
    readonly parameter: Parameter,
    readonly dependents: readonly number[],
  ) {}

  build(): BatchRoute | null {
    const { users } = this.parameter;
    const { layers } = this.pass.network.model;
    const started = this.#start();
    for (const layer of this.dependents) {
      if (started?.layers.includes(layer)) continue;
      if (users.includes(layer)) this.#addLayerByCopy(layer);
      else this.#addLayer(layer);
      this.#macs += macsOf(layers[layer]!) * this.pass.batchSize;
    }
    const bytes = this.#layout.size * 8;
    if (2 * bytes > MAX_BYTES_OF_TWO) return null;
    const wanted = Math.max(ENOUGH_COPIES, NEAR_BYTES / bytes);
    const capacity = Math.min(MAX_PERTURBATIONS, wanted, MAX_BYTES / bytes, MAX_MACS / this.#macs);
    return {
      size: this.#layout.size,
      capacity: 2 * Math.max(1, Math.floor(capacity / 2)),
      constants: [...this.#constants.values()],
      sum: started?.sum ?? null,
      stages: this.#stages,
      prediction: this.#outputs.get(layers.length - 1)!,
    };
  }

  /** Adds the layers that are computed column by column. */
  #start(): { readonly sum: RowSum; readonly layers: readonly number[] } | null {
    const { users, layer, shortName, value } = this.parameter;
    const { model } = this.pass.network;
    if (users.length > 1) return null;
    const { definition, inputShape, options, otherInputShapes } = model.layers[layer]!;
    const input = this.unperturbed.output(inputsOf(model, layer)[0]!);
    const output = this.unperturbed.output(layer);
    if (this.#isRowSum(layer)) {
      if (shortName !== 'weight' && shortName !== 'bias') return null;
      const sum = this.#rowSum(input, [output], shortName === 'weight');
      return { sum, layers: this.#addColumnLayers(layer, sum) };
    }
    const inner = definition
      .innerSums?.(inputShape, options, otherInputShapes)
      .find(({ weight, bias }) => shortName === weight || shortName === bias);
    if (!inner) return null;
    const { of, to } = inner;
    const results = to?.map((name) => this.unperturbed.internal(layer, name)) ?? [output];
    const summed = of === undefined ? input : this.unperturbed.internal(layer, of);
    const sum = this.#rowSum(summed, results, shortName === inner.weight);
    if (value.data.length !== sum.entries * sum.outputColumns.shape[0]!) return null;
    if (!to) return { sum, layers: this.#addColumnLayers(layer, sum) };
    this.#addInnerSum(layer, inner, sum, results);
    return { sum, layers: [layer] };
  }

  #rowSum(input: Tensor, results: readonly Tensor[], ofWeight: boolean): RowSum {
    const inputColumns = ofWeight ? this.unperturbed.columns([input]) : null;
    const outputColumns = this.unperturbed.columns(results);
    return { rows: outputColumns.shape[1]!, entries: inputColumns?.shape[0] ?? 1, inputColumns, outputColumns };
  }

  /** Whether the layer is a weighted sum of the rows of its only input. */
  #isRowSum(layer: number): boolean {
    const { network } = this.pass;
    const sources = inputsOf(network.model, layer);
    if (network.model.layers[layer]!.definition.jacobianStructure !== 'weighted_sum' || sources.length > 1)
      return false;
    const inputs = asRows(this.unperturbed.output(sources[0]!)).shape;
    const outputs = asRows(this.unperturbed.output(layer)).shape;
    return (
      inputs[0] === outputs[0] &&
      parametersUsedBy(network, layer).every(({ shortName, value: { shape, data } }) =>
        shortName === 'weight'
          ? shape[0] === outputs[1] && data.length === inputs[1]! * outputs[1]!
          : shortName === 'bias' && data.length === outputs[1],
      )
    );
  }

  /** From a perturbed column of a sum to the first whole output. @returns the layers */
  #addColumnLayers(first: number, sum: RowSum): number[] {
    const { rows } = sum;
    const { kernels, model } = this.pass.network;
    let column = this.#layout.take(rows);
    const perturbed = column;
    this.#stages.push(perturbColumns(kernels, sum, perturbed));
    const layers = [first];
    let next = this.unperturbed.successor(first);
    for (; next !== null; next = this.unperturbed.successor(next)) {
      const { definition } = model.layers[next]!;
      if (definition.jacobianStructure !== 'elementwise') break;
      const [layer, from, to] = [next, column, this.#layout.take(rows)];
      this.#stages.push((frame) => {
        const shape = [frame.copies, rows];
        const context = this.contextOf(layer, [frame.at(from, shape)], frame.at(to, shape), {});
        return () => definition.forward(context);
      });
      this.#layout.release(from);
      column = to;
      layers.push(layer);
    }
    const last = layers.at(-1)!;
    const whole = next !== null && this.#isRowSum(next) ? next : last;
    const base = asRows(this.unperturbed.output(whole));
    const slot = this.#takeOutput(whole);
    const [from, columns] = [column, this.unperturbed.columns([this.unperturbed.output(last)])];
    if (whole === last)
      this.#stages.push((frame) => {
        const [y, changed] = [frame.at(slot, [frame.copies, ...base.shape]), frame.at(from, [frame.copies, rows])];
        return () => kernels.replaceColumns(y, base, changed, frame.outputColumns);
      });
    else {
      const weight = parametersUsedBy(this.pass.network, whole).find(({ shortName }) => shortName === 'weight')!;
      const weights = this.unperturbed.columns([weight.value]);
      this.#stages.push((frame) => {
        const [y, changed] = [frame.at(slot, [frame.copies, ...base.shape]), frame.at(from, [frame.copies, rows])];
        return () => kernels.rank1Update(y, base, changed, columns, weights, frame.outputColumns);
      });
      layers.push(whole);
    }
    this.#layout.release(from);
    return layers;
  }

  /** A perturbed column of internal values, and what the layer computes from them. */
  #addInnerSum(layer: number, inner: InnerSum, sum: RowSum, results: readonly Tensor[]): void {
    const { rows, outputColumns } = sum;
    const { kernels, model: network } = this.pass.network;
    const model = network.layers[layer]!;
    const perturbed = this.#layout.take(rows);
    this.#stages.push(perturbColumns(kernels, sum, perturbed));
    const whole = results.map((result) => this.#constant(result));
    const width = asRows(results[0]!).shape[1]!;
    const output = this.#takeOutput(layer);
    const internals = this.#takeInternals(model, new Map(inner.to!.map((name, i) => [name, whole[i]!])));
    const sources = inputsOf(network, layer).map((source) => this.#inputOf(source));
    this.#macs += macsOf(model) * this.pass.batchSize;
    this.#stages.push((frame) => {
      const { copies } = frame;
      const changed = frame.at(perturbed, [copies, rows]).data;
      const targets = whole.map((slot) => frame.at(slot, [copies, rows, width]).data);
      const context = this.contextOf(
        layer,
        sources.map(({ slot, shape }) => frame.at(slot, batchOf(shape, copies))),
        frame.at(output, batchOf(this.unperturbed.output(layer).shape, copies)),
        internals(frame),
      );
      /** Writes a column of each copy. */
      const write = (from: Tensor['data'], offsetOf: (copy: number, column: number) => number): void => {
        for (let copy = 0; copy < copies; copy++) {
          const column = frame.outputColumns.data[copy]!;
          const part = Math.floor(column / width);
          const to = targets[part]!;
          let at = copy * rows * width + (column - part * width);
          const offset = offsetOf(copy, column);
          for (let row = 0; row < rows; row++, at += width) to[at] = from[offset + row]!;
        }
      };
      return () => {
        write(changed, (copy) => copy * rows);
        inner.forward!(context);
        write(outputColumns.data, (_, column) => column * rows);
      };
    });
    this.#layout.release(perturbed);
    this.#releaseInputs(layer);
  }

  /** A layer that computes all copies at once. */
  #addLayer(layer: number): void {
    const { definition, ...model } = this.pass.network.model.layers[layer]!;
    const sources = inputsOf(this.pass.network.model, layer).map((source) => this.#inputOf(source));
    const output = this.#takeOutput(layer);
    const internals = this.#takeInternals({ definition, ...model });
    this.#stages.push((frame) => {
      const context = this.contextOf(
        layer,
        sources.map(({ slot, shape }) => frame.at(slot, batchOf(shape, frame.copies))),
        frame.at(output, batchOf(this.unperturbed.output(layer).shape, frame.copies)),
        internals(frame),
      );
      return () => definition.forward(context);
    });
    this.#releaseInputs(layer);
  }

  /** A layer that uses the parameter, with the entry of each copy in place. */
  #addLayerByCopy(layer: number): void {
    const model = this.pass.network.model.layers[layer]!;
    const sources = inputsOf(this.pass.network.model, layer).map((source) => ({
      slot: this.#outputs.get(source),
      tensor: this.unperturbed.output(source),
    }));
    const output = this.#takeOutput(layer);
    const internals = this.#takeInternals(model);
    const { shape } = this.unperturbed.output(layer);
    const { data } = this.parameter.value;
    this.#stages.push((frame) => {
      const { copies, perturbations } = frame;
      const own = internals(frame, 1);
      const contexts = Array.from({ length: copies }, (_, copy) =>
        this.contextOf(
          layer,
          sources.map(({ slot, tensor }) => (slot ? copyOf(frame, slot, tensor.shape, copy) : tensor)),
          copyOf(frame, output, shape, copy),
          own,
        ),
      );
      return () => {
        const { entries, values } = perturbations;
        contexts.forEach((context, copy) => {
          const entry = entries[copy]!;
          const start = data[entry]!;
          data[entry] = values[copy]!;
          model.definition.forward(context);
          data[entry] = start;
        });
      };
    });
    this.#releaseInputs(layer);
  }

  contextOf(
    layer: number,
    [input, ...otherInputs]: readonly Tensor[],
    output: Tensor,
    internals: Readonly<Record<string, Tensor>>,
  ): ForwardContext<unknown> {
    const { network, training } = this.pass;
    return {
      kernels: network.kernels,
      options: network.model.layers[layer]!.options,
      parameters: Object.fromEntries(
        parametersUsedBy(network, layer).map(({ shortName, value }) => [shortName, value]),
      ),
      buffers: Object.fromEntries(
        network.buffers.filter((buffer) => buffer.layer === layer).map(({ shortName, value }) => [shortName, value]),
      ),
      training,
      input: input!,
      otherInputs,
      output,
      mask: null,
      workspace: network.workspaces[layer]!,
      internals,
    };
  }

  #takeOutput(layer: number): Slot {
    const slot = this.#layout.take(this.unperturbed.output(layer).data.length);
    this.#outputs.set(layer, slot);
    return slot;
  }

  /** Memory for a layer's internal values during its forward pass. */
  #takeInternals(
    model: LayerModel,
    known: ReadonlyMap<string, Slot> = new Map(),
  ): (frame: Frame, copies?: number) => Readonly<Record<string, Tensor>> {
    const { batchSize } = this.pass;
    const all = declaredInternals(model).map((declared) => ({
      declared,
      slot: known.get(declared.name) ?? this.#layout.take(numel(internalShape(declared, batchSize))),
    }));
    for (const { declared, slot } of all) if (!known.has(declared.name)) this.#layout.release(slot);
    return (frame, copies = frame.copies) =>
      Object.fromEntries(
        all.map(({ declared, slot }) => [declared.name, frame.at(slot, internalShape(declared, batchSize * copies))]),
      );
  }

  /** An input of a layer, for each copy. */
  #inputOf(source: number): { readonly slot: Slot; readonly shape: Shape } {
    const tensor = this.unperturbed.output(source);
    return { slot: this.#outputs.get(source) ?? this.#constant(tensor), shape: tensor.shape };
  }

  #constant({ data }: Tensor): Slot {
    let constant = this.#constants.get(data);
    if (!constant) this.#constants.set(data, (constant = { slot: this.#layout.takeForever(data.length), data }));
    return constant.slot;
  }

  /** Releases the outputs that no layer after this one takes. */
  #releaseInputs(layer: number): void {
    const { model } = this.pass.network;
    for (const source of new Set(inputsOf(model, layer))) {
      const slot = this.#outputs.get(source);
      if (!slot || consumersOf(model, source).at(-1)!.layer > layer) continue;
      this.#layout.release(slot);
      this.#outputs.delete(source);
    }
  }
}

const batchOf = ([batch, ...rest]: Shape, copies: number): Shape => [batch! * copies, ...rest];

function copyOf(frame: Frame, slot: Slot, shape: Shape, copy: number): Tensor {
  const size = numel(shape);
  return { shape, data: frame.at(slot, [frame.copies, size]).data.subarray(copy * size, (copy + 1) * size) };
}

/** Perturbs a column of a sum for each copy. */
const perturbColumns =
  (kernels: Kernels, { rows, inputColumns, outputColumns }: RowSum, to: Slot): Stage =>
  (frame) => {
    const columns = frame.at(to, [frame.copies, rows]);
    return () =>
      kernels.perturbColumns(
        columns,
        outputColumns,
        frame.outputColumns,
        frame.deltas,
        inputColumns,
        frame.inputColumns,
      );
  };
