// A compiled network: parameters and gradients in flat arrays, and passes over batches. Shapes were
// checked before; nothing here allocates once the network is made.
import type { Kernels } from './kernels/kernels';
import { MemoryPlan, type Precision, type Shape, sizeOf, type Tensor, view } from './kernels/tensor';
import { initializers, type InitializerOptions } from './initializers';
import { type Fans, initialValues, type InitializerDefinition } from './initializers/initializer';
import type { BufferDeclaration, LayerDefinition, ParameterDeclaration } from './layers/layer';
import type { LossDefinition } from './losses/loss';
import { type ActivationSlots, Pass, type Take } from './pass';
import type { Penalty } from './penalty';
import { Random } from './random';

export type { Pass };

export interface LayerModel {
  readonly name: string;
  readonly definition: LayerDefinition;
  readonly options: unknown;
  /** Shapes of one sample. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Short names of parameters that are not updated. */
  readonly freeze: readonly string[];
  /** What its buffers were fitted to, by name. */
  readonly fitted?: Readonly<Record<string, Float64Array>>;
  /** Line of the spec, counted from 1, for what is said about the layer. */
  readonly line?: number;
}

export interface NetworkModel {
  readonly inputShape: Shape;
  readonly layers: readonly LayerModel[];
  readonly loss: { readonly definition: LossDefinition; readonly options: unknown; readonly line?: number };
  /** Added to the loss that is trained on, and to its gradient. */
  readonly penalty?: Penalty;
}

/** Whether layers of the user's own are in it: what they do is not made of kernels, and takes its time. */
export const hasOwnCode = ({ layers }: NetworkModel): boolean => layers.some(({ definition }) => definition.code !== undefined);

export interface NetworkSize {
  /** Most samples in a training batch. */
  readonly batch: number;
  /** Samples evaluated at once; 0 for a network that is not evaluated. */
  readonly evaluationBatch: number;
  /** Tensors that the optimizer keeps for each parameter. */
  readonly optimizerTensors: number;
}

export interface Parameter {
  /** `linear1.weight`. */
  readonly name: string;
  /** `weight`. */
  readonly shortName: string;
  readonly layer: number;
  readonly frozen: boolean;
  readonly value: Tensor;
  readonly gradient: Tensor;
  /** The value before the last measured update. */
  readonly previous: Tensor;
  readonly optimizerState: readonly Tensor[];
  /** Of the parameter's shape, for an update to work in; its memory is shared by all. */
  readonly scratch: Tensor;
  readonly start: ParameterDeclaration['start'];
}

/** State of a layer that is not trained. */
export interface Buffer {
  /** `batch_norm1d1.running_mean`. */
  readonly name: string;
  /** `running_mean`. */
  readonly shortName: string;
  readonly layer: number;
  readonly value: Tensor;
  /** What all of it is at the start. */
  readonly fill: number;
}

/** Collects what is needed, then hands out tensors once all of it is allocated together. */
class Reservation {
  readonly plan: MemoryPlan;
  #tensors: readonly Tensor[] = [];

  constructor(precision: Precision) {
    this.plan = new MemoryPlan(precision);
  }

  tensor(shape: Shape): Take {
    const slot = this.plan.reserve(shape);
    return () => this.#tensors[slot];
  }

  allocate(kernels: Kernels): void {
    this.#tensors = kernels.allocate(this.plan);
  }
}

const declarationsOf = (layer: LayerModel): readonly ParameterDeclaration[] =>
  layer.definition.parameters?.(layer.inputShape, layer.options) ?? [];

const buffersOf = ({ definition, inputShape, options }: LayerModel): readonly BufferDeclaration[] =>
  definition.buffers?.(inputShape, options) ?? [];

const workspaceOf = ({ definition, inputShape, options }: LayerModel): readonly Shape[] =>
  definition.workspace?.(inputShape, options) ?? [];

function reserveActivations(reservation: Reservation, model: NetworkModel, batch: number, backward: boolean): ActivationSlots {
  const output = model.layers.length === 0 ? model.inputShape : model.layers[model.layers.length - 1].outputShape;
  return {
    input: reservation.tensor([batch, ...model.inputShape]),
    target: reservation.tensor([batch, ...output]),
    outputs: model.layers.map((layer) => reservation.tensor([batch, ...layer.outputShape])),
    drawn: model.layers.map((layer) =>
      backward && layer.definition.draw ? reservation.tensor([batch, ...layer.outputShape]) : null,
    ),
    // Index 0 is dL/d input; index i + 1 is dL/d output of layer i.
    gradients: backward
      ? [reservation.tensor([batch, ...model.inputShape]), ...model.layers.map((layer) => reservation.tensor([batch, ...layer.outputShape]))]
      : [],
  };
}

const total = (shapes: readonly Shape[]): number => shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);

/** Tensors of these shapes one after another in the memory of one. */
function partition({ data }: Tensor, shapes: readonly Shape[]): readonly Tensor[] {
  let from = 0;
  return shapes.map((shape) => ({ shape, data: data.subarray(from, (from += sizeOf(shape))) }));
}

function reserve(model: NetworkModel, precision: Precision, size: NetworkSize) {
  const reservation = new Reservation(precision);
  const parameters = model.layers.flatMap((layer, index) =>
    declarationsOf(layer).map((declaration) => ({
      layer: index,
      declaration,
      value: reservation.tensor(declaration.shape),
      gradient: reservation.tensor(declaration.shape),
      previous: reservation.tensor(declaration.shape),
      optimizerState: Array.from({ length: size.optimizerTensors }, () => reservation.tensor(declaration.shape)),
    })),
  );
  const largest = Math.max(0, ...parameters.map(({ declaration }) => sizeOf(declaration.shape)));
  const scratch = reservation.tensor([largest]);
  const buffers = model.layers.flatMap((layer, index) =>
    buffersOf(layer).map((declaration) => ({ layer: index, declaration, value: reservation.tensor(declaration.shape) })),
  );
  const workspace = reservation.tensor([Math.max(0, ...model.layers.map((layer) => total(workspaceOf(layer))))]);
  const training = reserveActivations(reservation, model, size.batch, true);
  const evaluation =
    size.evaluationBatch > 0 ? reserveActivations(reservation, model, size.evaluationBatch, false) : undefined;
  return { reservation, parameters, scratch, buffers, workspace, training, evaluation };
}

/** Bytes that a network of this size will take, without allocating any. */
export const predictMemory = (model: NetworkModel, precision: Precision, size: NetworkSize): number =>
  reserve(model, precision, size).reservation.plan.bytes;

/** Bytes of one layer's own tensors: its parameters with all that training keeps beside them, its outputs and their gradients. */
export function predictLayerMemory(layer: LayerModel, precision: Precision, size: NetworkSize): number {
  const plan = new MemoryPlan(precision);
  const reserveEach = (shape: Shape, times: number): void => {
    for (let i = 0; i < times; i++) plan.reserve(shape);
  };
  for (const { shape } of declarationsOf(layer)) reserveEach(shape, 3 + size.optimizerTensors);
  for (const { shape } of buffersOf(layer)) plan.reserve(shape);
  reserveEach([size.batch, ...layer.outputShape], layer.definition.draw ? 3 : 2);
  if (size.evaluationBatch > 0) plan.reserve([size.evaluationBatch, ...layer.outputShape]);
  return plan.bytes;
}

export class Network {
  readonly parameters: readonly Parameter[];
  /** Bytes of all tensors. */
  readonly memory: number;
  readonly buffers: readonly Buffer[];
  /** Everything that a training step goes on from: parameters, each with its optimizer's state, then buffers. */
  readonly state: readonly Tensor[];
  /** By layer: what its kernels work in. */
  readonly workspaces: readonly (readonly Tensor[])[];
  readonly #training: ActivationSlots;
  readonly #evaluation: ActivationSlots | undefined;
  /** By the number of samples. */
  readonly #passes = { training: new Map<number, Pass>(), evaluation: new Map<number, Pass>(), evaluated: new Map<number, Pass>() };

  constructor(
    readonly model: NetworkModel,
    readonly kernels: Kernels,
    readonly size: NetworkSize,
  ) {
    const { reservation, parameters, scratch, buffers, workspace, training, evaluation } = reserve(model, kernels.precision, size);
    reservation.allocate(kernels);
    this.memory = reservation.plan.bytes;
    this.workspaces = model.layers.map((layer) => partition(workspace(), workspaceOf(layer)));
    this.#training = training;
    this.#evaluation = evaluation;
    this.parameters = parameters.map(({ layer, declaration, value, gradient, previous, optimizerState }) => ({
      name: `${model.layers[layer].name}.${declaration.name}`,
      shortName: declaration.name,
      layer,
      frozen: model.layers[layer].freeze.includes(declaration.name),
      value: value(),
      gradient: gradient(),
      previous: previous(),
      optimizerState: optimizerState.map((take) => take()),
      scratch: view(scratch(), declaration.shape),
      start: declaration.start,
    }));
    this.buffers = buffers.map(({ layer, declaration: { name, fill }, value }) => ({
      name: `${model.layers[layer].name}.${name}`, shortName: name, layer, value: value(), fill,
    }));
    this.state = [
      ...this.parameters.flatMap(({ value, optimizerState }) => [value, ...optimizerState]),
      ...this.buffers.map(({ value }) => value),
    ];
  }

  /**
   * Sets every parameter and buffer to its start and clears gradients and optimizer state. Each parameter draws from
   * a stream of its own name, so that a layer added elsewhere does not change it.
   */
  initialize(seed: number): void {
    const random = new Random(seed, 'init');
    for (const parameter of this.parameters) {
      const { start, value, name } = parameter;
      if ('values' in start) value.data.set(start.values);
      else this.#draw(random.stream(name), parameter, start.initializer);
      this.kernels.fill(parameter.gradient, 0);
      for (const state of parameter.optimizerState) this.kernels.fill(state, 0);
    }
    for (const { value, fill, shortName, layer } of this.buffers) {
      const fitted = this.model.layers[layer].fitted?.[shortName];
      if (fitted) value.data.set(fitted);
      else this.kernels.fill(value, fill);
    }
  }

  zeroGradients(): void {
    for (const { gradient } of this.parameters) this.kernels.fill(gradient, 0);
  }

  /** The training pass over the first `batch` rows; always the same memory. */
  pass(batch: number): Pass {
    return this.#cached(this.#passes.training, this.#training, batch, true);
  }

  /** The same memory and the way back, with the layers in evaluation mode: for looking at their gradients there. */
  passInEvaluation(batch: number): Pass {
    return this.#cached(this.#passes.evaluated, this.#training, batch, false);
  }

  /** A forward-only pass with memory of its own, so that looking at other data disturbs no training step. */
  evaluationPass(batch: number): Pass {
    if (!this.#evaluation) throw new Error('this network was made without room for evaluation');
    return this.#cached(this.#passes.evaluation, this.#evaluation, batch, false);
  }

  #cached(passes: Map<number, Pass>, slots: ActivationSlots, batch: number, training: boolean): Pass {
    let pass = passes.get(batch);
    if (!pass) {
      pass = new Pass(this, slots, batch, training);
      passes.set(batch, pass);
    }
    return pass;
  }

  #draw(random: Random, parameter: Parameter, options: InitializerOptions): void {
    const definition: InitializerDefinition = initializers[options.type] as InitializerDefinition;
    // A bias has the fans of its layer's weights.
    const weight = this.parameters.find((other) => other.layer === parameter.layer && other.value.shape.length > 1);
    const fans = fansOf((weight ?? parameter).value.shape);
    parameter.value.data.set(initialValues(definition, random, parameter.value.shape, fans, options));
  }
}

/** For weights [out, in, ...kernel], as torch.nn.init counts them. */
function fansOf(shape: Shape): Fans {
  const [out, ...rest] = shape;
  if (rest.length === 0) return { fanIn: out, fanOut: out };
  return { fanIn: sizeOf(rest), fanOut: out * sizeOf(rest.slice(1)) };
}
