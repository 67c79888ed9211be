// Queries: what views ask about a run beyond the statistics in every frame. `Queries` declares each as a method, from
// its request to its value; src/session/queries answers them. A value is plain data that the session does not modify
// later, and as small as what is drawn.
//
// A `sample` is a sample's index in the data; null stands for the first sample of the step's batch.
import type { EntryDetail, ErrorMap } from './check-report';
import type { DataProfile, DataRow } from './data-profile';
import type { HistoryData } from '../history/history';
import type { LayerStats } from './layer-stats';
import type { Position, SplitName } from './position';
import type { RunQueryRequest, RunQueryResult } from './run-query';
import type { WeightAssignment } from './run-record';

export interface Queries {
  attribution(request: AttributionRequest): Attribution;
  changed_since(request: TensorRequest & { readonly since: number }): TensorDifference;
  check_entry(request: CheckEntryRequest): EntryDetail;
  check_map(request: { readonly parameter: string }): ErrorMap;
  data_profile(request: object): DataProfileResult;
  data_rows(request: DataRowsRequest): DataRowsResult;
  decision_surface(request: object): DecisionSurface;
  evaluate(request: EvaluateRequest): readonly (Evaluated | PendingValue)[];
  filters(request: FiltersRequest): ConvFilters;
  fork(request: ForkRequest): ForkResult;
  forks(request: object): readonly TrainedFork[];
  generate_tokens(request: GenerateTokensRequest): GeneratedTokens;
  gradient_cost(request: { readonly index: number }): GradientCostResult;
  gradient_histograms(request: { readonly parameter: string }): ParameterGradientHistograms;
  jacobian(request: { readonly layer: number; readonly sample: number | null }): LayerJacobians;
  layer_stats(request: object): readonly LayerStats[];
  loss_comparison(request: { readonly sample: number | null }): LossComparison;
  lr_scan(request: object): LrScan;
  named_values(request: object): readonly NamedValue[];
  network_graph(request: NetworkGraphRequest): NetworkGraph;
  output_map(request: OutputMapRequest): OutputMap;
  points(request: { readonly split: SplitName }): DataPoints;
  predictions(request: { readonly split: SplitName }): PredictionSummary;
  run_query(request: RunQueryRequest): RunQueryResult;
  sequence(request: SequenceRequest): SequenceSample;
  state_norms(request: StateNormsRequest): StateNorms;
  step_graph(request: { readonly sample: number | null }): StepGraph;
  tensor(request: TensorRequest): TensorTile;
  tensor_bytes(request: TensorBytesRequest): TensorBytes | null;
  weight_file(request: object): Uint8Array;
  weight_history(request: { readonly parameter: string; readonly index: number }): WeightHistory;
  what_if(request: WhatIfRequest): WhatIfResult;
}

export type QueryType = keyof Queries;

export type Query<Type extends QueryType = QueryType> = {
  [Each in Type]: { readonly type: Each } & Parameters<Queries[Each]>[0];
}[Type];

export type QueryValue<Type extends QueryType> = ReturnType<Queries[Type]>;

export interface QueryResult<Type extends QueryType = QueryType> {
  readonly query: Query<Type>;
  /** The run's position when it was answered. */
  readonly position: Position;
  /** Null if there is none: the step has not computed it yet, or what the query names does not exist. */
  readonly value: QueryValue<Type> | null;
}

/** The queries of one view, answered together so that everything it shows belongs to one step. */
export type ViewQueries = readonly Query[];

// Expressions

export type NamedValueGroup = 'run' | 'inputs' | 'outputs' | 'gradients' | 'parameters' | 'updates' | 'optimizer_state';

/** A value that expressions can name. */
export interface NamedValue {
  readonly group: NamedValueGroup;
  /** Index of its layer; null for a value of the run. */
  readonly layer: number | null;
  /** `weight`. */
  readonly label: string;
  /** `grad(hidden.weight)`. */
  readonly expression: string;
}

export interface EvaluateRequest {
  readonly expressions: readonly {
    readonly text: string;
    /** Entries to send, by flat index; none by default. */
    readonly from?: number;
    readonly count?: number;
  }[];
  /** Reads a trained fork at its last step instead of the run. */
  readonly fork?: ForkRequest | undefined;
}

/** Statistics of all entries, in float64. */
export interface TensorSummary {
  readonly mean: number;
  /** Divides by the number of entries. */
  readonly std: number;
  /** Euclidean. */
  readonly norm: number;
  readonly min: number;
  readonly max: number;
  readonly nans: number;
}

/** The expression reads other steps, which are being replayed: ask again. */
export interface PendingValue {
  readonly kind: 'pending';
  /** The step that the replay has reached. */
  readonly step: number;
}

export type Evaluated =
  | {
      readonly kind: 'value';
      readonly type: 'number' | 'boolean';
      /** Empty for a single value, which is the one entry. */
      readonly shape: readonly number[];
      /** The precision of the tensor in memory; null for a computed one, whose numbers are float64. */
      readonly precision: 'float32' | 'float64' | null;
      /** Null for a single value. */
      readonly summary: TensorSummary | null;
      readonly entries: Float64Array;
    }
  /** `start` and `end` are UTF-16 offsets into the text. */
  | { readonly kind: 'error'; readonly message: string; readonly start: number; readonly end: number };

export interface TensorBytesRequest {
  /** Of a tensor, or of a single value. */
  readonly expression: string;
  /** Bytes, counted from the first entry. */
  readonly from: number;
  readonly count: number;
}

/** Null if the expression has no value. */
export interface TensorBytes {
  /** Of the whole tensor. */
  readonly total: number;
  /** Little-endian, row-major, in the precision of the tensor; fewer than asked for at its end, or if they are many. */
  readonly bytes: Uint8Array;
}

// Sequences

export interface SequenceRequest {
  readonly sample: number | null;
  /** The layer whose attention weights are wanted; null for none. */
  readonly layer: number | null;
}

export interface SequencePosition {
  /** Null for the class that the loss ignores. */
  readonly target: string | null;
  /** The probability that the network gives to the target. */
  readonly probability: number | null;
  /** The likeliest tokens, in descending order. */
  readonly top: readonly { readonly token: string; readonly probability: number }[];
}

/** Each row, the weights of one query, sums to 1. */
export interface AttentionWeights {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** [heads, queries, keys]. */
  readonly weights: Float64Array;
  /** Keys that are padding, from 0: their weights are 0. */
  readonly padding: readonly number[];
}

/** A sample that is a sequence, position by position. */
export interface SequenceSample {
  readonly sample: number;
  readonly inBatch: boolean;
  /** Positions of the input. */
  readonly length: number;
  /** Its first tokens; null if the inputs are not indices of tokens. */
  readonly inputs: readonly string[] | null;
  /** The first positions; null if the network does not predict a class at each of them, or has not yet in this step. */
  readonly positions: readonly SequencePosition[] | null;
  readonly attention: AttentionWeights | null;
}

export interface GenerateTokensRequest {
  /** The sample whose tokens are continued. */
  readonly sample: number | null;
  /** Indices of the tokens that were generated before. */
  readonly generated: readonly number[];
  readonly seed: number;
  /** Divides the logits; 0 always takes the likeliest token. */
  readonly temperature: number;
}

/** A slice of generated tokens. Ask again with these for more. */
export interface GeneratedTokens {
  readonly sample: number;
  /** The sample's own tokens. */
  readonly prompt: readonly string[];
  readonly generated: readonly { readonly index: number; readonly token: string; readonly probability: number }[];
}

// States of recurrent layers

export interface StateNormsRequest {
  readonly layer: number;
  /** Short name of an internal that is carried from one time step to the next. */
  readonly state: string;
}

/** Euclidean norms over the batch after each time step. */
export interface StateNorms {
  readonly state: Float64Array;
  /** The norm of dL/d state, through all later time steps; null before the backward pass of the layer. */
  readonly gradient: Float64Array | null;
}

// Tensors of a step

export type TensorKind =
  'output' | 'output_gradient' | 'parameter' | 'parameter_gradient' | 'buffer' | 'internal' | 'internal_gradient';

export interface TensorRequest {
  readonly layer: number;
  readonly kind: TensorKind;
  /** Short name of the parameter, buffer or internal, for the kinds that need it. */
  readonly parameter?: string;
}

/** A tensor as a matrix. If it is too large to draw, a cell has the value of largest magnitude that it covers. */
export interface TensorTile {
  readonly kind: TensorKind;
  /** The tensor's own shape, batch dimension included. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of the whole matrix that one cell covers. */
  readonly rowStride: number;
  readonly columnStride: number;
  readonly cells: Float64Array;
  readonly min: number;
  readonly max: number;
}

/** A tensor compared with the same tensor at another step, which a scratch session recomputes bit for bit. */
export interface TensorDifference {
  /** The scratch session's step. While it is less than `since`, ask again. */
  readonly reachedStep: number;
  /** The tiles are null until the scratch session has reached `since`. */
  readonly now: TensorTile | null;
  readonly then: TensorTile | null;
  /** now − then in float64; null if their shapes differ, as for the last batch of an epoch. */
  readonly difference: TensorTile | null;
}

/** One weight over the run, from the checkpoints. */
export interface WeightHistory {
  /** In ascending order; the last is the current step. */
  readonly steps: Float64Array;
  readonly values: Float64Array;
  /** dL/dw of the current step; null until its backward pass has reached the weight. */
  readonly gradient: number | null;
}

/** The distribution of the magnitudes of a parameter's gradient, at the measured steps and at the current one. */
export interface ParameterGradientHistograms {
  /** Entries of the parameter. */
  readonly entries: number;
  readonly binsPerDecade: number;
  /** Lower edge of the first bin. Empty bins at both ends are omitted. */
  readonly low: number;
  readonly bins: number;
  /** In ascending order; the last is the current step, if its gradient is known. */
  readonly steps: Float64Array;
  /** [steps, bins]: number of entries whose magnitude is in the bin. */
  readonly counts: Uint32Array;
  /** For each step: entries that are exactly 0, and entries that are not finite. */
  readonly zeros: Uint32Array;
  readonly nonFinite: Uint32Array;
}

// The step as a graph

/** A tensor of the step; layers by index. */
export type NodeId =
  /** `loss_gradient` is dL/dL. */
  | { readonly of: 'input' | 'target' | 'loss' | 'loss_gradient' | 'target_gradient' | 'input_gradient' }
  | { readonly of: 'output' | 'output_gradient'; readonly layer: number }
  /** `parameter` is the value before the update, `updated` the value after it. */
  | {
      readonly of: 'parameter' | 'parameter_gradient' | 'update' | 'updated';
      readonly layer: number;
      readonly parameter: string;
    };

/** The first rows and columns of a tensor as a matrix. */
export interface TensorPreview {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns]. */
  readonly cells: Float64Array;
  /** Rows of the whole matrix, whose columns are the tensor's last dimension; a vector is one row. */
  readonly totalRows: number;
  readonly totalColumns: number;
}

/** What a tensor is computed by, in the names of the spec. */
export interface NodeFormula {
  readonly text: string;
  readonly latex: string;
  /** What symbols mean that the formula does not define. */
  readonly symbols?: Readonly<Record<string, string>>;
}

export interface StepNode {
  readonly id: NodeId;
  /** What formulas call it; gradients by what they are the gradient of. */
  readonly name: string;
  /** Null if it is given, or if its layer states none. */
  readonly formula: NodeFormula | null;
  /** The shape of one sample, or of the parameter. */
  readonly shape: readonly number[];
  /** Null until the step has computed it, and if the sample is not in the batch. */
  readonly preview: TensorPreview | null;
}

/** The tensors of the step, forward and then backward, for one sample. */
export interface StepGraph {
  readonly sample: number;
  readonly inBatch: boolean;
  readonly nodes: readonly StepNode[];
}

/** An entry of a node, by its flat index. */
export interface ElementRef {
  readonly node: NodeId;
  readonly index: number;
}

export interface AttributionRequest extends ElementRef {
  readonly sample: number | null;
}

export interface Factor {
  readonly value: number;
  /** The entry it comes from; null for a local derivative. */
  readonly source: ElementRef | null;
  /** Its name, if it has no source. */
  readonly name?: string;
  /** Set if the factor belongs to another sample of the batch than the followed one. */
  readonly sample?: number;
}

/** The product of its factors. */
export interface Term {
  readonly value: number;
  readonly factors: readonly Factor[];
}

/** Where a value comes from. */
export interface Attribution {
  readonly sample: number;
  readonly value: number;
  readonly formula: NodeFormula | null;
  /**
   * - `sum`: the value is the sum of its terms.
   * - `function`: it is a function of the terms' sources, each with its local derivative; terms do not add up.
   * - `rule`: it follows from the terms by the loss function; terms do not add up.
   * - `given`: it comes from the data, or from initialization and training.
   */
  readonly kind: 'sum' | 'function' | 'rule' | 'given';
  /** The largest terms, in order of magnitude. */
  readonly terms: readonly Term[];
  /** Number of all terms, and the sum of those that are omitted. */
  readonly termCount: number;
  readonly remainder: number;
}

/** The local derivatives of one layer for one sample, in float64. */
export interface LayerJacobian {
  readonly sample: number;
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs, inputs]: d output_i / d input_j, as the layer's backward pass computes it. */
  readonly values: Float64Array;
}

/** A layer's Jacobian with respect to its first input, and to each parameter that it computes with. */
export interface LayerJacobians extends LayerJacobian {
  readonly parameters: readonly ParameterJacobian[];
}

/** The derivatives of one sample's outputs by a parameter's entries, in float64. */
export interface ParameterJacobian {
  /** As in `hidden.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** [outputs, entries]; null if it is too large to be readable. */
  readonly values: Float64Array | null;
}

/** Two losses of one sample alone, from the probabilities of its classes. */
export interface LossComparison {
  readonly sample: number;
  /** The index of its class. */
  readonly label: number;
  /** Of that class. */
  readonly probability: number;
  /**
   * Σ q² of the other classes, q their shares of what is left of 1: the squared error is (1 - p)² (1 + othersShare). 0
   * for a single output.
   */
  readonly othersShare: number;
  readonly crossEntropy: number;
  /** Σ (ŷ - y)² over the outputs. */
  readonly squaredError: number;
}

// Other weights or inputs

/** Changes to evaluate on a copy of the network; the run is not touched. */
export interface Counterfactual {
  readonly weights: readonly WeightAssignment[];
  /** Entries of the sample's input, by flat index. */
  readonly inputs: readonly { readonly index: number; readonly value: number }[];
}

export interface WhatIfRequest extends Counterfactual {
  readonly sample: number | null;
}

export interface NodeChange {
  readonly node: NodeId;
  readonly shape: readonly number[];
  /** The first entries of the flat tensor. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

export interface WhatIfResult {
  readonly sample: number;
  /** The loss of this sample alone, penalty included. */
  readonly loss: { readonly before: number; readonly after: number };
  /** Over the train split; null if only inputs change, or if evaluating it would take too long. */
  readonly trainingLoss: { readonly before: number; readonly after: number } | null;
  /** Probabilities that the loss computes from the last layer's logits; null for other losses. */
  readonly probabilities: { readonly before: Float64Array; readonly after: Float64Array } | null;
  /** In the order of computation: the input, each output, then the gradients back to that of the input. */
  readonly nodes: readonly NodeChange[];
}

// The network's diagram

/** What edges and filters show of a weight. */
export type EdgeKind = 'weight' | 'gradient' | 'update';

export interface NetworkGraphRequest {
  readonly sample: number | null;
  readonly edges: EdgeKind;
  /** Whether to compute each unit's response over the input range, for networks of one or two inputs. */
  readonly maps: boolean;
  /** Shows the network with these weights and inputs; gradients are then of this sample's loss alone. */
  readonly counterfactual?: Counterfactual;
}

/** Units of a layer's output, or of the input. */
export interface UnitColumn {
  /** Number of units; for an image, of channels. */
  readonly units: number;
  /** Indices of the units that are shown. */
  readonly shown: Uint32Array;
  /** Values for the followed sample; for an image, each channel's mean. Null until the step has computed them. */
  readonly values: Float64Array | null;
  /** dL/d value; null until the step has computed it, and if the sample is not in the batch. */
  readonly gradients: Float64Array | null;
  /**
   * One image for each shown unit, [shown, height, width], 0 to 255 from `low` to `high`: its response over the input
   * range, or its feature map.
   */
  readonly maps: {
    readonly width: number;
    readonly height: number;
    readonly pixels: Uint8Array;
    readonly low: number;
    readonly high: number;
  } | null;
}

/** Weights between the shown units of a layer's column and of the column of its input. */
export interface WeightEdges {
  readonly layer: number;
  /** Full name of the parameter. */
  readonly parameter: string;
  /** [shown units, shown units of the input]; null until the step has computed them. */
  readonly values: Float64Array | null;
  /** Largest magnitude in the whole tensor, so that widths compare. */
  readonly maxMagnitude: number;
}

export interface NetworkGraph {
  readonly sample: number;
  readonly inBatch: boolean;
  /** The input, then each layer. */
  readonly columns: readonly UnitColumn[];
  readonly edges: readonly WeightEdges[];
}

export interface FiltersRequest {
  readonly layer: number;
  readonly edges: EdgeKind;
  /** Shows the filters with these weights and inputs; gradients are then of one sample's loss. */
  readonly counterfactual?: Counterfactual;
  readonly sample?: number | null;
}

/** Filters of a convolution as tiles: one row per output channel, one column per input channel. */
export interface ConvFilters {
  /** Full name of the parameter. */
  readonly parameter: string;
  /** [output channels, input channels of a group, height, width]. */
  readonly shape: readonly number[];
  /** The channels that are shown. */
  readonly outputs: Uint32Array;
  readonly inputs: Uint32Array;
  /** outputs · height, and inputs · width. */
  readonly rows: number;
  readonly columns: number;
  readonly cells: Float64Array;
}

// The data and the fit

/** A look at the data, which takes several slices. Ask again until it is `done`. */
export interface DataLook {
  readonly done: boolean;
  /** What is being done. */
  readonly progress: string;
  /** Why the data cannot be read. */
  readonly error: string | null;
}

export interface DataProfileResult extends DataLook {
  readonly profile: DataProfile | null;
}

export interface DataRowsRequest {
  /** Null for all samples. */
  readonly split: SplitName | null;
  /** Counted in the split. */
  readonly from: number;
  readonly count: number;
}

export interface DataRowsResult extends DataLook {
  /** Samples in the split. */
  readonly total: number;
  /** Without their numbers where an input is too large to send. */
  readonly rows: readonly DataRow[] | null;
}

/** The range of one input, with a margin. */
export interface Axis {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** The network's outputs over the range of its one or two inputs. */
export interface DecisionSurface {
  /** One for each input. */
  readonly axes: readonly Axis[];
  readonly columns: number;
  /** 1 for a single input. */
  readonly rows: number;
  /** Outputs per point in `predictions`; for two inputs only the first output is sent. */
  readonly outputs: number;
  /** [rows × columns, outputs], row by row from the lower end of each axis; null if `classes` is set. */
  readonly predictions: Float32Array | null;
  /** [rows × columns]: the predicted class; null for a regression and for a single input. */
  readonly classes: Uint8Array | null;
}

export interface OutputMapRequest {
  readonly sample: number | null;
  /** Height and width of the large image, in images of the data. */
  readonly tiles: number;
  /** Where the sample alone stands, in pixels from the top left; null for several samples side by side. */
  readonly place: { readonly row: number; readonly column: number } | null;
}

/** The outputs of a network on an image that is larger than its input, one for each position of its window. */
export interface OutputMap {
  readonly sample: number;
  /** What fits into memory and time; at most what was asked for. */
  readonly tiles: number;
  /** [channels, height, width], as the network gets it. */
  readonly image: Float32Array;
  readonly imageShape: readonly number[];
  /** Samples in the image: the index of each in the data, the pixel of its top left corner, and its class. */
  readonly placed: readonly {
    readonly sample: number;
    readonly row: number;
    readonly column: number;
    readonly label: number | null;
  }[];
  /** Pixels of the network's own input. */
  readonly window: { readonly height: number; readonly width: number };
  /** Positions of the window: position (i, j) begins at pixel (i · stride.down, j · stride.right). */
  readonly rows: number;
  readonly columns: number;
  readonly stride: { readonly down: number; readonly right: number };
  readonly outputs: number;
  /** [outputs, rows, columns]: probabilities where the loss or the last layer tells them, else the outputs. */
  readonly values: Float64Array;
  readonly areProbabilities: boolean;
  /** [rows, columns]: the predicted class; null if the targets are no classes. */
  readonly classes: Uint32Array | null;
}

/** Samples of a split, evenly selected. */
export interface DataPoints {
  /** Samples in the split. */
  readonly total: number;
  /** Indices of the samples in the data. */
  readonly samples: Uint32Array;
  /** [samples, inputs]. */
  readonly inputs: Float32Array;
  /** [samples, targets]: a class index, or values. */
  readonly targets: Float32Array;
}

export interface SampleLoss {
  /** Index in the data. */
  readonly sample: number;
  readonly loss: number;
  /** The last layer's output. */
  readonly prediction: readonly number[];
  /** Class indexes, one for each position of a sequence; or values. */
  readonly target: readonly number[];
  /** In the same order; null if the targets are values. */
  readonly predictedClasses: readonly number[] | null;
  /** Null if the input is too large to send. */
  readonly input: Float32Array | null;
}

export interface PredictionSummary {
  /** Samples in the split, and how many of them were evaluated. */
  readonly total: number;
  readonly evaluated: number;
  /** Mean loss of the evaluated samples. */
  readonly loss: number;
  /** [classes, classes]: rows are the target class, columns the predicted one; null for a regression. */
  readonly confusion: Uint32Array | null;
  /** Samples with the largest losses, in order. */
  readonly worst: readonly SampleLoss[];
}

// Other runs

/** Loss of the step's batch after its update at other learning rates, in float64, penalty included. */
export interface LrScan {
  /** The step's learning rate. */
  readonly lr: number;
  /** In ascending order, including the step's own rate. */
  readonly rates: Float64Array;
  readonly losses: Float64Array;
  readonly lossBefore: number;
}

export interface ForkRequest {
  /** The fork's first `from` updates are those of the run. */
  readonly from: number;
  /** Base learning rate of the schedule; null to keep the run's own. */
  readonly lr: number | null;
  readonly seed: number | null;
  /** Its last step. */
  readonly to: number;
}

/** A fork that was trained since the run was opened, and still follows from the run. */
export interface TrainedFork extends ForkRequest {
  /** The step that it is at. */
  readonly step: number;
  readonly diverged: number | null;
}

export interface ForkResult {
  /** The fork's step; less than `from` while it replays the run. Ask again until it is `done`. */
  readonly step: number;
  readonly done: boolean;
  /** The step at which the loss was no longer finite, which ends the fork. */
  readonly diverged: number | null;
  /** Losses from `from` on: of each batch, and of the splits. */
  readonly history: HistoryData;
  /** The run's own settings at `from`. */
  readonly parentSettings: { readonly lr: number; readonly seed: number };
  /** False if nothing after `from` is random: a full batch, and no random layers. */
  readonly seedMatters: boolean;
}

/** A network with `depth` hidden layers of `width` units each. */
export interface HiddenSize {
  readonly depth: number;
  readonly width: number;
}

/** The time of one gradient by backprop, and by one forward pass per parameter. */
export interface GradientCost extends HiddenSize {
  readonly parameters: number;
  /** Milliseconds of a forward and a backward pass, the shortest of several. */
  readonly backprop: number;
  /** Milliseconds of one forward pass per parameter, measured in chunks, each the shortest of several. */
  readonly naive: number;
  /** Forward passes that were timed. If fewer than the parameters, `naive` is extrapolated. */
  readonly timedPasses: number;
  /** Multiply-adds. */
  readonly macs: { readonly backprop: number; readonly naive: number };
  /** Largest difference between the two gradients, relative to the largest entry. */
  readonly maxRelativeDifference: number;
}

export interface GradientCostResult {
  readonly cost: GradientCost;
  /** Number of networks to measure; `index` counts them from 0. */
  readonly networkCount: number;
  readonly batchSize: number;
}

// The last gradient check

export interface CheckEntryRequest {
  readonly parameter: string;
  /** Flat index, in row-major order. */
  readonly index: number;
  /** How far the curve extends to each side, as a multiple of max(1, |w|). */
  readonly reach: number;
}
