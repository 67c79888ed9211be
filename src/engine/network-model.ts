// The types of a network: its model, its size, and the tensors that it keeps. Shapes are those of one sample.
import type { Kernels } from './kernels/kernels';
import type { Shape, Tensor } from './kernels/tensor';
import type {
  InternalDeclaration,
  JacobianStructure,
  LayerDefinition,
  LayerReceptiveField,
  ParameterDeclaration,
} from './layers/layer';
import type { LossDefinition } from './losses/loss';
import type { Penalty } from './penalty';
import type { LayerBlock } from '../protocol/model-info';

export interface LayerModel {
  readonly name: string;
  readonly definition: LayerDefinition;
  readonly options: unknown;
  /** The shape of its first input. */
  readonly inputShape: Shape;
  /** The shapes of its further inputs. */
  readonly otherInputShapes?: readonly Shape[];
  readonly outputShape: Shape;
  /**
   * The layers whose outputs it takes, in order, all of them earlier ones; NETWORK_INPUT for the network's input. By
   * default, the layer before.
   */
  readonly inputs?: readonly number[];
  /** Parameters that it takes from an earlier layer, by short name: the index of that layer, which owns them. */
  readonly sharedParameters?: Readonly<Record<string, number>>;
  /** Short names of parameters that are not updated. */
  readonly freeze: readonly string[];
  /** Initial values of its buffers, by name, if the layer was fitted to the data. */
  readonly fittedBuffers?: Readonly<Record<string, Float64Array>>;
  /** Initial values of its parameters and buffers, by name, instead of those that are drawn, filled or fitted. */
  readonly givenValues?: Readonly<Record<string, Float64Array>>;
  /** Line in the spec, from 1, for messages. */
  readonly line?: number;
  /** The blocks of the spec around it, the outermost first, for display. */
  readonly blocks?: readonly LayerBlock[];
}

/** The parameters that a layer declares, its own and those that it takes from another layer. */
export const declaredParameters = ({
  definition,
  inputShape,
  options,
  otherInputShapes,
}: LayerModel): readonly ParameterDeclaration[] => definition.parameters?.(inputShape, options, otherInputShapes) ?? [];

/** An intermediate value of a layer. */
export const declaredInternals = ({
  definition,
  inputShape,
  options,
  otherInputShapes,
}: LayerModel): readonly InternalDeclaration[] => definition.internals?.(inputShape, options, otherInputShapes) ?? [];

/** Those that mean something, for views. */
export const shownInternals = (layer: LayerModel): readonly InternalDeclaration[] =>
  declaredInternals(layer).filter(({ scratch }) => !scratch);

/** The shape of an internal in memory, for a batch. */
export function internalShape({ shape, timeFirst }: InternalDeclaration, batchSize: number): Shape {
  const [time, ...rest] = shape;
  return timeFirst && time !== undefined ? [time, batchSize, ...rest] : [batchSize, ...shape];
}

/** The structure that a layer declares if it holds for its samples: a sequence has a weighted sum at each position. */
export const structureOf = ({
  definition: { jacobianStructure },
  inputShape,
}: Pick<LayerModel, 'definition' | 'inputShape'>): JacobianStructure | undefined =>
  jacobianStructure === 'weighted_sum' && inputShape.length > 1 ? undefined : jacobianStructure;

/** The part of its input that an output of a layer depends on. */
export const receptiveWindowOf = ({
  definition,
  options,
  inputShape,
}: Pick<LayerModel, 'definition' | 'options' | 'inputShape'>): LayerReceptiveField =>
  definition.receptiveField?.(options, inputShape) ??
  (definition.jacobianStructure === 'elementwise' ? 'pointwise' : 'all');

/** Multiply-adds of a layer's forward pass for one sample; 0 if it declares none. */
export const macsOf = ({ definition, inputShape, otherInputShapes, outputShape, options }: LayerModel): number =>
  definition.macs?.(inputShape, outputShape, options, otherInputShapes) ?? 0;

/** The shape of what a layer draws for one sample in training; null if it draws nothing. */
export function maskShapeOf({
  definition,
  options,
  inputShape,
  outputShape,
}: Pick<LayerModel, 'definition' | 'options' | 'inputShape' | 'outputShape'>): Shape | null {
  if (!definition.sampleMask) return null;
  return definition.maskShape ? definition.maskShape(inputShape, options) : outputShape;
}

/** The parameters that belong to a layer. */
export const ownParameters = (layer: LayerModel): readonly ParameterDeclaration[] =>
  declaredParameters(layer).filter(({ name }) => layer.sharedParameters?.[name] === undefined);

/** The parameters that a layer computes with, in declaration order. */
export const parametersUsedBy = (
  { model, parameters }: Pick<NetworkTensors, 'model' | 'parameters'>,
  layer: number,
): readonly Parameter[] =>
  declaredParameters(model.layers[layer]!).flatMap(({ name }) => {
    const owner = model.layers[layer]!.sharedParameters?.[name] ?? layer;
    return parameters.filter((parameter) => parameter.layer === owner && parameter.shortName === name);
  });

/** A loss on the output of any layer, which is added to that of the prediction. */
export interface AuxiliaryLoss {
  /** `head1_loss`. */
  readonly name: string;
  readonly definition: LossDefinition;
  readonly options: unknown;
  /** The layer whose output it takes. */
  readonly layer: number;
  /** The factor of its value in the loss. */
  readonly weight: number;
  /** Whether it compares with the targets of the data, or with the inputs. */
  readonly target: 'targets' | 'inputs';
  readonly line?: number;
}

/** The name of the loss on a layer's output, an identifier for expressions: `my_head_loss` of `my head`. */
export const lossNameOf = (layer: string): string =>
  `${layer.replaceAll(/[^\p{L}\p{N}_$]/gu, '_').replace(/^(?=\p{N})/u, '_')}_loss`;

export interface NetworkModel {
  readonly inputShape: Shape;
  readonly layers: readonly LayerModel[];
  /** The loss of the last layer's output, which is the prediction. */
  readonly loss: { readonly definition: LossDefinition; readonly options: unknown; readonly line?: number };
  /** Further losses. Training minimizes the weighted sum of all. */
  readonly auxiliaryLosses?: readonly AuxiliaryLoss[];
  /** Added to the training loss and its gradient. */
  readonly penalty?: Penalty | undefined;
}

/** The names of the losses: that of the prediction, then the auxiliary ones. */
export const lossNames = ({ layers, auxiliaryLosses = [] }: NetworkModel): readonly string[] => [
  lossNameOf(layers.at(-1)?.name ?? 'input'),
  ...auxiliaryLosses.map(({ name }) => name),
];

/** Custom layers, losses and penalties do not run on kernels and may be slow. */
export const hasCustomCode = ({ layers, loss, penalty }: NetworkModel): boolean =>
  layers.some(({ definition }) => definition.sourceLocations !== undefined) ||
  loss.definition.sourceLocations !== undefined ||
  penalty?.custom !== undefined;

export interface NetworkSize {
  /** Maximum number of samples in a training batch. */
  readonly batchSize: number;
  /** Samples evaluated at once; 0 for a network without evaluation. */
  readonly evaluationBatchSize: number;
  /** Tensors that the optimizer keeps for each parameter. */
  readonly optimizerStateTensors: number;
}

export interface Parameter {
  /** `linear1.weight`. */
  readonly name: string;
  /** `weight`. */
  readonly shortName: string;
  /** The layer that it belongs to, the first that computes with it. */
  readonly layer: number;
  /** All layers that compute with it, in topological order. */
  readonly users: readonly number[];
  readonly frozen: boolean;
  readonly value: Tensor;
  readonly gradient: Tensor;
  /** The value before the last measured update. */
  readonly previous: Tensor;
  readonly optimizerState: readonly Tensor[];
  /** Scratch memory for updates, of the parameter's shape; all parameters share it. */
  readonly scratch: Tensor;
  readonly init: ParameterDeclaration['init'];
}

/** State of a layer that is not trained. */
export interface Buffer {
  /** `batch_norm1d1.running_mean`. */
  readonly name: string;
  /** `running_mean`. */
  readonly shortName: string;
  readonly layer: number;
  readonly value: Tensor;
  /** The initial value of every entry. */
  readonly fill: number;
  /** The initial values if they differ, row-major. */
  readonly values?: Float64Array;
}

/** What a pass needs of its network. */
export interface NetworkTensors {
  readonly model: NetworkModel;
  readonly kernels: Kernels;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Scratch memory of each layer's kernels. */
  readonly workspaces: readonly (readonly Tensor[])[];
}
