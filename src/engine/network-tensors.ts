// The tensors of a network, reserved before they are allocated together: so their memory is known before a run begins.
import type { Kernels } from './kernels/kernels';
import { MemoryPlan, numel, type Precision, type Shape, type Tensor } from './kernels/tensor';
import type { BufferDeclaration, InternalDeclaration } from './layers/layer';
import { gradientRoutes, NETWORK_INPUT } from './network-graph';
import {
  declaredInternals,
  internalShape,
  type LayerModel,
  maskShapeOf,
  type NetworkModel,
  type NetworkSize,
  ownParameters,
} from './network-model';

/** Returns a tensor after all of them are allocated. */
export type TensorHandle = () => Tensor;

export type InternalHandle = readonly [declaration: InternalDeclaration, take: TensorHandle];

/** The tensors of a pass, for the largest batch. */
export interface ActivationSlots {
  readonly input: TensorHandle;
  readonly target: TensorHandle;
  readonly outputs: readonly TensorHandle[];
  /** Masks by layer; empty for a forward-only pass. */
  readonly masks: readonly (TensorHandle | null)[];
  /** Internal values of each layer. */
  readonly internals: readonly (readonly InternalHandle[])[];
  /** Empty for a forward-only pass. */
  readonly gradients: readonly TensorHandle[];
  /** Gradients of the internal values of each layer; empty for a forward-only pass. */
  readonly internalGradients: readonly (readonly InternalHandle[])[];
  /** Scratch memory of a layer's backward pass: one tensor for each of its gradients that is added to another. */
  readonly addends: (layer: number) => readonly Tensor[];
  /** Scratch memory for the gradient of an auxiliary loss that is added to another one. */
  readonly lossAddend: TensorHandle;
}

/** Collects the shapes of all tensors, then allocates them together. */
class TensorReservation {
  readonly plan: MemoryPlan;
  #tensors: readonly Tensor[] = [];

  constructor(precision: Precision) {
    this.plan = new MemoryPlan(precision);
  }

  reserve(shape: Shape): TensorHandle {
    const slot = this.plan.reserve(shape);
    return () => this.#tensors[slot]!;
  }

  allocate(kernels: Kernels): void {
    this.#tensors = kernels.allocate(this.plan);
  }
}

const bufferDeclarations = ({ definition, inputShape, options }: LayerModel): readonly BufferDeclaration[] =>
  definition.buffers?.(inputShape, options) ?? [];

export const workspaceShapes = ({ definition, inputShape, options }: LayerModel): readonly Shape[] =>
  definition.workspace?.(inputShape, options) ?? [];

function reserveActivations(
  reservation: TensorReservation,
  model: NetworkModel,
  batchSize: number,
  backward: boolean,
): ActivationSlots {
  const output = model.layers.length === 0 ? model.inputShape : model.layers[model.layers.length - 1]!.outputShape;
  const addendShapes = backward ? shapesOfAddends(model, batchSize) : [];
  const addends = reservation.reserve([Math.max(0, ...addendShapes.map(total))]);
  const lossOutputs = (model.auxiliaryLosses ?? []).map(({ layer }) => numel(model.layers[layer]!.outputShape));
  const lossAddend = reservation.reserve([backward ? batchSize * Math.max(0, ...lossOutputs) : 0]);
  const reserveInternals = (layer: LayerModel): InternalHandle[] =>
    declaredInternals(layer).map((declared) => [declared, reservation.reserve(internalShape(declared, batchSize))]);
  return {
    input: reservation.reserve([batchSize, ...model.inputShape]),
    target: reservation.reserve([batchSize, ...output]),
    outputs: model.layers.map((layer) => reservation.reserve([batchSize, ...layer.outputShape])),
    masks: model.layers.map((layer) => {
      const shape = backward ? maskShapeOf(layer) : null;
      return shape && reservation.reserve([batchSize, ...shape]);
    }),
    internals: model.layers.map(reserveInternals),
    internalGradients: backward ? model.layers.map(reserveInternals) : [],
    // Index 0 is dL/d input; index i + 1 is dL/d output of layer i.
    gradients: backward
      ? [
          reservation.reserve([batchSize, ...model.inputShape]),
          ...model.layers.map((layer) => reservation.reserve([batchSize, ...layer.outputShape])),
        ]
      : [],
    addends: (layer) => splitIntoTensors(addends(), addendShapes[layer] ?? []),
    lossAddend,
  };
}

/** Shapes of the gradients that each layer's backward pass adds to those of other layers. */
const shapesOfAddends = (model: NetworkModel, batchSize: number): Shape[][] =>
  gradientRoutes(model).map((routes) =>
    routes.flatMap(({ source, adds }) =>
      adds ? [[batchSize, ...(source === NETWORK_INPUT ? model.inputShape : model.layers[source]!.outputShape)]] : [],
    ),
  );

/** Consecutive tensors of these shapes in the memory of one. */
export function splitIntoTensors({ data }: Tensor, shapes: readonly Shape[]): readonly Tensor[] {
  let offset = 0;
  return shapes.map((shape) => ({ shape, data: data.subarray(offset, (offset += numel(shape))) }));
}

const total = (shapes: readonly Shape[]): number => shapes.reduce((sum, shape) => sum + numel(shape), 0);

/** Reserves the tensors of a network of this size; `reservation.allocate` creates them. */
export function reserveTensors(model: NetworkModel, precision: Precision, size: NetworkSize) {
  const reservation = new TensorReservation(precision);
  const parameters = model.layers.flatMap((layer, index) =>
    ownParameters(layer).map((declaration) => ({
      layer: index,
      declaration,
      value: reservation.reserve(declaration.shape),
      gradient: reservation.reserve(declaration.shape),
      previous: reservation.reserve(declaration.shape),
      optimizerState: Array.from({ length: size.optimizerStateTensors }, () => reservation.reserve(declaration.shape)),
    })),
  );
  const largest = Math.max(0, ...parameters.map(({ declaration }) => numel(declaration.shape)));
  const scratch = reservation.reserve([largest]);
  const buffers = model.layers.flatMap((layer, index) =>
    bufferDeclarations(layer).map((declaration) => ({
      layer: index,
      declaration,
      value: reservation.reserve(declaration.shape),
    })),
  );
  const workspace = reservation.reserve([Math.max(0, ...model.layers.map((layer) => total(workspaceShapes(layer))))]);
  const training = reserveActivations(reservation, model, size.batchSize, true);
  const evaluation =
    size.evaluationBatchSize > 0 ? reserveActivations(reservation, model, size.evaluationBatchSize, false) : undefined;
  return { reservation, parameters, scratch, buffers, workspace, training, evaluation };
}

/** Bytes that a network of this size needs, without allocating them. */
export const estimateMemory = (model: NetworkModel, precision: Precision, size: NetworkSize): number =>
  reserveTensors(model, precision, size).reservation.plan.bytes;

/** Bytes of one layer's tensors: parameters with gradients and optimizer state, outputs and their gradients. */
export function estimateLayerMemory(layer: LayerModel, precision: Precision, size: NetworkSize): number {
  const plan = new MemoryPlan(precision);
  const reserveEach = (shape: Shape, times: number): void => {
    for (let i = 0; i < times; i++) plan.reserve(shape);
  };
  for (const { shape } of ownParameters(layer)) reserveEach(shape, 3 + size.optimizerStateTensors);
  for (const { shape } of bufferDeclarations(layer)) plan.reserve(shape);
  reserveEach([size.batchSize, ...layer.outputShape], 2);
  const mask = maskShapeOf(layer);
  if (mask) plan.reserve([size.batchSize, ...mask]);
  const internals = declaredInternals(layer);
  for (const declared of internals) reserveEach(internalShape(declared, size.batchSize), 2);
  if (size.evaluationBatchSize > 0) {
    plan.reserve([size.evaluationBatchSize, ...layer.outputShape]);
    for (const declared of internals) plan.reserve(internalShape(declared, size.evaluationBatchSize));
  }
  return plan.bytes;
}
