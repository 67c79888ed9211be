// A compiled network: parameters and gradients in flat arrays, and passes over batches. Shapes were
// checked before; nothing here allocates once the network is made.
import type { TargetData } from './datasets/dataset';
import type { Kernels } from './kernels/kernels';
import { MemoryPlan, type Precision, type Shape, sizeOf, type Tensor, type TensorData, view } from './kernels/tensor';
import { initializers, type InitializerOptions } from './initializers';
import { type Fans, initialValues, type InitializerDefinition } from './initializers/initializer';
import type { BackwardContext, LayerDefinition, ParameterDeclaration } from './layers/layer';
import type { LossContext, LossDefinition } from './losses/loss';
import { addPenaltyGradient, isPenalized, type Penalty, penaltyValue } from './penalty';
import { Random } from './random';

export interface LayerModel {
  readonly name: string;
  readonly definition: LayerDefinition;
  readonly options: unknown;
  /** Shapes of one sample. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Short names of parameters that are not updated. */
  readonly freeze: readonly string[];
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

type Take = () => Tensor;

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

interface ActivationSlots {
  readonly input: Take;
  readonly target: Take;
  readonly outputs: readonly Take[];
  /** What layers draw for a step, by layer; empty for a pass that never goes backward. */
  readonly drawn: readonly (Take | null)[];
  /** Empty for a pass that never goes backward. */
  readonly gradients: readonly Take[];
}

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
  const workspaces = model.layers.map(({ definition, inputShape, options }) => definition.workspace?.(inputShape, options) ?? null);
  const workspace = reservation.tensor([Math.max(0, ...workspaces.map((shape) => (shape ? sizeOf(shape) : 0)))]);
  const training = reserveActivations(reservation, model, size.batch, true);
  const evaluation =
    size.evaluationBatch > 0 ? reserveActivations(reservation, model, size.evaluationBatch, false) : undefined;
  return { reservation, parameters, scratch, workspaces, workspace, training, evaluation };
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
  reserveEach([size.batch, ...layer.outputShape], layer.definition.draw ? 3 : 2);
  if (size.evaluationBatch > 0) plan.reserve([size.evaluationBatch, ...layer.outputShape]);
  return plan.bytes;
}

export class Network {
  readonly parameters: readonly Parameter[];
  /** Bytes of all tensors. */
  readonly memory: number;
  /** By layer: what its kernels work in. */
  readonly workspaces: readonly (Tensor | null)[];
  readonly #training: ActivationSlots;
  readonly #evaluation: ActivationSlots | undefined;
  /** By the number of samples: training, then evaluation. */
  readonly #passes: readonly [Map<number, Pass>, Map<number, Pass>] = [new Map(), new Map()];

  constructor(
    readonly model: NetworkModel,
    readonly kernels: Kernels,
    readonly size: NetworkSize,
  ) {
    const { reservation, parameters, scratch, workspaces, workspace, training, evaluation } = reserve(model, kernels.precision, size);
    reservation.allocate(kernels);
    this.memory = reservation.plan.bytes;
    this.workspaces = workspaces.map((shape) => shape && view(workspace(), shape));
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
  }

  /**
   * Sets every parameter to its start and clears gradients and optimizer state. Each parameter draws from
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
  }

  zeroGradients(): void {
    for (const { gradient } of this.parameters) this.kernels.fill(gradient, 0);
  }

  /** The training pass over the first `batch` rows; always the same memory. */
  pass(batch: number): Pass {
    return this.#cached(this.#passes[0], this.#training, batch);
  }

  /** A forward-only pass with memory of its own, so that looking at other data disturbs no training step. */
  evaluationPass(batch: number): Pass {
    if (!this.#evaluation) throw new Error('this network was made without room for evaluation');
    return this.#cached(this.#passes[1], this.#evaluation, batch);
  }

  #cached(passes: Map<number, Pass>, slots: ActivationSlots, batch: number): Pass {
    let pass = passes.get(batch);
    if (!pass) {
      pass = new Pass(this, slots, batch);
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

/** One batch on its way forward and back. Tensors carry the batch in front. */
export class Pass {
  readonly input: Tensor;
  readonly target: Tensor;
  /** Output of each layer. */
  readonly outputs: readonly Tensor[];
  /** What layers draw for a step, such as dropout's mask; null for the others, and in evaluation. */
  readonly drawn: readonly (Tensor | null)[];
  /** dL/d input; only written when asked for. */
  readonly inputGradient: Tensor | undefined;
  /** dL/d output of each layer. */
  readonly outputGradients: readonly Tensor[];
  // Made once: a training step makes no garbage.
  readonly #steps: readonly BackwardContext<unknown>[];
  readonly #firstWithInput: BackwardContext<unknown> | undefined;
  readonly #loss: LossContext<unknown>;
  /** By layer: parameters with a penalty; none in a pass that only evaluates. */
  readonly #penalized: readonly (readonly Parameter[])[];

  constructor(
    readonly network: Network,
    slots: ActivationSlots,
    readonly batch: number,
  ) {
    const rows = (take: Take): Tensor => {
      const tensor = take();
      return view(tensor, [batch, ...tensor.shape.slice(1)]);
    };
    const { model, kernels, parameters } = network;
    this.input = rows(slots.input);
    this.target = rows(slots.target);
    this.outputs = slots.outputs.map(rows);
    this.drawn = slots.drawn.map((take) => take && rows(take));
    const gradients = slots.gradients.map(rows);
    this.inputGradient = gradients[0];
    this.outputGradients = gradients.slice(1);
    this.#steps = model.layers.map(({ options }, index) => {
      const own = parameters.filter(({ layer }) => layer === index);
      return {
        kernels,
        options,
        parameters: Object.fromEntries(own.map(({ shortName, value }) => [shortName, value])),
        input: this.inputOf(index),
        output: this.outputs[index],
        drawn: this.drawn[index],
        workspace: network.workspaces[index],
        gradOutput: this.outputGradients[index],
        gradInput: index > 0 ? this.outputGradients[index - 1] : null,
        gradParameters: Object.fromEntries(own.map(({ shortName, gradient }) => [shortName, gradient])),
      };
    });
    this.#firstWithInput = this.#steps[0] && { ...this.#steps[0], gradInput: this.inputGradient ?? null };
    const { penalty } = model;
    this.#penalized = model.layers.map((_, index) =>
      penalty && gradients.length > 0 ? parameters.filter((own) => own.layer === index && isPenalized(penalty, own)) : [],
    );
    this.#loss = { kernels, options: model.loss.options, prediction: this.prediction, target: this.target };
  }

  /** The last layer's output, or the input of a network without layers. */
  get prediction(): Tensor {
    return this.outputs[this.outputs.length - 1] ?? this.input;
  }

  /** Copies samples into the batch: row `i` is sample `indices[from + i]`. */
  load(inputs: TensorData, targets: TargetData, indices: Uint32Array, from: number): void {
    gather(this.input, inputs, indices, from);
    gather(this.target, targets, indices, from);
  }

  /** Draws what layers need for a step, counted from 0: a pure function of seed, step and the layer's name. */
  drawFor(seed: number, step: number): void {
    this.network.model.layers.forEach(({ name, definition, options }, layer) => {
      const out = this.drawn[layer];
      if (out) definition.draw?.(out, new Random(seed, 'step').stream(name).stream(String(step)), options);
    });
  }

  forward(layer: number): void {
    this.network.model.layers[layer].definition.forward(this.#steps[layer]);
  }

  /** The loss of the batch; in a training pass with the penalty. */
  loss(): number {
    return this.dataLoss() + this.penalty();
  }

  /** The loss of the batch without the penalty. */
  dataLoss(): number {
    return this.network.model.loss.definition.value(this.#loss);
  }

  /** The penalty alone; 0 where there is none. */
  penalty(): number {
    const { model, kernels } = this.network;
    let value = 0;
    if (model.penalty) for (const own of this.#penalized) value += penaltyValue(kernels, model.penalty, own);
    return value;
  }

  /** Writes dL/d prediction. */
  lossBackward(): void {
    const gradient = this.outputGradients[this.outputGradients.length - 1];
    if (gradient) this.network.model.loss.definition.gradient(this.#loss, gradient);
  }

  /** Adds to the gradients of the layer's parameters and writes that of its input; of the first layer only if asked. */
  backward(layer: number, inputGradient = false): void {
    const context = layer === 0 && inputGradient ? this.#firstWithInput : this.#steps[layer];
    const { model, kernels } = this.network;
    if (context) model.layers[layer].definition.backward(context);
    if (model.penalty) addPenaltyGradient(kernels, model.penalty, this.#penalized[layer]);
  }

  /** On which side of each kink inside it a layer computes; null where it does not say. */
  sides(layer: number): Int8Array | null {
    return this.network.model.layers[layer].definition.sides?.(this.#steps[layer]) ?? null;
  }

  /** How many of the batch's predictions are right; for targets that are classes. */
  correct(): number {
    const { threshold } = this.network.model.loss.definition;
    return this.network.kernels.countCorrect(this.prediction, this.target, threshold);
  }

  /** Forward through all layers from `first` on, and the loss. */
  evaluate(first = 0): number {
    for (let layer = first; layer < this.outputs.length; layer++) this.forward(layer);
    return this.loss();
  }

  inputOf(layer: number): Tensor {
    return layer === 0 ? this.input : this.outputs[layer - 1];
  }
}

/** Element by element: views and `set` cost more than what they copy, and would leave garbage in every step. */
function gather({ shape, data }: Tensor, from: TensorData | TargetData, indices: Uint32Array, first: number): void {
  const rows = shape[0];
  const width = data.length / rows;
  if (width === 1) {
    for (let row = 0; row < rows; row++) data[row] = from[indices[first + row]];
    return;
  }
  for (let row = 0, to = 0; row < rows; row++) {
    let at = indices[first + row] * width;
    for (const end = to + width; to < end; to++) data[to] = from[at++];
  }
}
