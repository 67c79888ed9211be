// Types and access for the frozen values under test/golden, which freeze.py there creates.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerKind } from '../../src/engine/layers';
import type { LossKind } from '../../src/engine/losses';
import type { OptimizerKind } from '../../src/engine/optimizers';
import type { Penalty } from '../../src/engine/penalty';
import type { ScheduleKind } from '../../src/engine/schedules';
import type { GradientClipping } from '../../src/engine/update-parameters';
import type { Nested } from './nested-lists';

type Options = Readonly<Record<string, unknown>>;
type NamedValues = Readonly<Record<string, Nested>>;

export interface GoldenLayer {
  readonly name: string;
  readonly kind: LayerKind;
  readonly options: Options;
  readonly input: Nested;
  /** Further inputs, and the gradients with respect to them, of a layer that takes several. */
  readonly otherInputs?: readonly Nested[];
  readonly gradOtherInputs?: readonly Nested[];
  /** The mask in training. */
  readonly drawn?: Nested;
  /** In training mode by default. */
  readonly training?: boolean;
  /** A layer's buffers before the step and, if there was one, after it. */
  readonly buffers?: NamedValues;
  readonly tracked?: NamedValues;
  readonly parameters: NamedValues;
  readonly gradOutput: Nested;
  readonly output: Nested;
  readonly gradInput: Nested;
  readonly gradParameters: NamedValues;
  /** An absolute tolerance for the gradients, where sums cancel out to 0. */
  readonly atol?: number;
}

export interface GoldenLoss {
  readonly name: string;
  readonly kind: LossKind;
  readonly options: Options;
  readonly prediction: Nested;
  readonly target: Nested;
  readonly value: number;
  readonly gradPrediction: Nested;
}

/** A stack of layers with explicit parameters, one record per layer. */
export interface GoldenStack {
  readonly name: string;
  readonly layers: readonly ({ readonly type: LayerKind; readonly freeze?: readonly string[] } & Options)[];
  readonly parameters: readonly NamedValues[];
  /** By layer: the layers whose outputs it takes, -1 for the network's input. By default, the layer before. */
  readonly sources?: readonly (readonly number[])[];
  /** By layer: the owners of parameters that it shares. */
  readonly shared?: readonly Readonly<Record<string, number>>[];
  readonly lossKind: LossKind;
  readonly lossOptions: Options;
  readonly penalty?: Partial<Penalty>;
  readonly auxiliary?: readonly {
    readonly layer: number;
    readonly kind: LossKind;
    readonly options: Options;
    readonly weight: number;
    readonly target: 'targets' | 'inputs';
  }[];
}

export interface GoldenNetwork extends GoldenStack {
  readonly target: Nested;
  /** The input, then the output of every layer. */
  readonly values: readonly Nested[];
  readonly loss: number;
  /** With respect to each of `values`. */
  readonly gradients: readonly Nested[];
  readonly gradParameters: readonly NamedValues[];
}

export interface GoldenOptimizer extends GoldenStack {
  readonly kind: OptimizerKind;
  readonly options: Options;
  /** As in the spec. */
  readonly schedule?: { readonly type: ScheduleKind; readonly per: 'step'; readonly warmup?: number } & Options;
  readonly clip?: GradientClipping;
  readonly batches: readonly { readonly input: Nested; readonly target: Nested }[];
  /** The loss before each update, its learning rate if there is a schedule, and all parameters after it. */
  readonly steps: readonly {
    readonly loss: number;
    readonly lr?: number;
    readonly parameters: readonly Nested[];
    readonly buffers?: readonly Nested[];
  }[];
}

/** A network with branches or shared parameters, and 20 steps of training on its batch. */
export interface GoldenGraph extends GoldenNetwork {
  readonly kind: OptimizerKind;
  readonly options: Options & { readonly lr: number };
  readonly clip?: GradientClipping;
  /** An absolute tolerance for gradients, where sums cancel out to 0. */
  readonly atol?: number;
  /** The loss before each update. */
  readonly losses: readonly number[];
  /** Every parameter after the last update. */
  readonly final: readonly Nested[];
}

interface GoldenFiles {
  readonly 'layers.json': GoldenLayer;
  readonly 'layers-images.json': GoldenLayer;
  readonly 'layers-normal.json': GoldenLayer;
  readonly 'layers-kernel.json': GoldenLayer;
  readonly 'layers-joins.json': GoldenLayer;
  readonly 'layers-recurrent.json': GoldenLayer;
  readonly 'layers-stacked.json': GoldenLayer;
  readonly 'layers-convolutions.json': GoldenLayer;
  readonly 'layers-attention.json': GoldenLayer;
  readonly 'layers-sequences.json': GoldenLayer;
  readonly 'layers-padding.json': GoldenLayer;
  readonly 'layers-saturated.json': GoldenLayer;
  readonly 'losses.json': GoldenLoss;
  readonly 'losses-attention.json': GoldenLoss;
  readonly 'networks.json': GoldenNetwork;
  readonly 'graphs.json': GoldenGraph;
  readonly 'graphs-attention.json': GoldenGraph;
  readonly 'graphs-recurrent.json': GoldenGraph;
  readonly 'graphs-stacked.json': GoldenGraph;
  readonly 'graphs-padding.json': GoldenGraph;
  readonly 'graphs-losses.json': GoldenGraph;
  readonly 'optimizers.json': GoldenOptimizer;
  readonly 'optimizers-images.json': GoldenOptimizer;
}

/** Files of layers that are compared within the usual tolerance. */
const LAYER_FILES = [
  'layers.json',
  'layers-images.json',
  'layers-normal.json',
  'layers-kernel.json',
  'layers-joins.json',
  'layers-recurrent.json',
  'layers-stacked.json',
  'layers-convolutions.json',
  'layers-attention.json',
  'layers-sequences.json',
  'layers-padding.json',
] as const;

/** The cases of all of them. */
export const goldenLayers = (): readonly GoldenLayer[] => LAYER_FILES.flatMap((file) => golden(file));

/** All cases of one file. */
export function golden<File extends keyof GoldenFiles>(file: File): readonly GoldenFiles[File][] {
  const text = readFileSync(join(__dirname, '..', 'golden', file), 'utf8');
  const { cases } = JSON.parse(text) as { cases: GoldenFiles[File][] };
  if (cases.length === 0) throw new Error(`${file} holds nothing`);
  return cases;
}
