// The frozen values under test/golden, with types. freeze.py there makes them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerKind } from '../../src/engine/layers';
import type { LossKind } from '../../src/engine/losses';
import type { OptimizerKind } from '../../src/engine/optimizers';
import type { Penalty } from '../../src/engine/penalty';
import type { ScheduleKind } from '../../src/engine/schedules';
import type { Clip } from '../../src/engine/update';
import type { Nested } from './nested';

type Options = Readonly<Record<string, unknown>>;
type Named = Readonly<Record<string, Nested>>;

export interface GoldenLayer {
  readonly name: string;
  readonly kind: LayerKind;
  readonly options: Options;
  readonly input: Nested;
  /** What the layer drew, in training. */
  readonly drawn?: Nested;
  /** In training mode, unless told. */
  readonly training?: boolean;
  /** A layer's buffers before, and after the step where there was one. */
  readonly buffers?: Named;
  readonly tracked?: Named;
  readonly parameters: Named;
  readonly gradOutput: Nested;
  readonly output: Nested;
  readonly gradInput: Nested;
  readonly gradParameters: Named;
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

/** A stack with explicit parameters, one record for each layer. */
export interface GoldenStack {
  readonly name: string;
  readonly layers: readonly ({ readonly type: LayerKind; readonly freeze?: readonly string[] } & Options)[];
  readonly parameters: readonly Named[];
  readonly lossKind: LossKind;
  readonly lossOptions: Options;
  readonly penalty?: Partial<Penalty>;
}

export interface GoldenNetwork extends GoldenStack {
  readonly target: Nested;
  /** The input, then the output of every layer. */
  readonly values: readonly Nested[];
  readonly loss: number;
  /** With respect to each of `values`. */
  readonly gradients: readonly Nested[];
  readonly gradParameters: readonly Named[];
}

export interface GoldenOptimizer extends GoldenStack {
  readonly kind: OptimizerKind;
  readonly options: Options;
  /** As the spec writes it. */
  readonly schedule?: { readonly type: ScheduleKind; readonly per: 'step'; readonly warmup?: number } & Options;
  readonly clip?: Clip;
  readonly batches: readonly { readonly input: Nested; readonly target: Nested }[];
  /** The loss before each update, its learning rate where there is a schedule, and all parameters after it. */
  readonly steps: readonly { readonly loss: number; readonly lr?: number; readonly parameters: readonly Nested[]; readonly buffers?: readonly Nested[] }[];
}

interface GoldenFiles {
  readonly 'layers.json': GoldenLayer;
  readonly 'layers-images.json': GoldenLayer;
  readonly 'layers-normal.json': GoldenLayer;
  readonly 'layers-kernel.json': GoldenLayer;
  readonly 'layers-saturated.json': GoldenLayer;
  readonly 'losses.json': GoldenLoss;
  readonly 'networks.json': GoldenNetwork;
  readonly 'optimizers.json': GoldenOptimizer;
  readonly 'optimizers-images.json': GoldenOptimizer;
}

/** All cases of one file. */
export function golden<File extends keyof GoldenFiles>(file: File): readonly GoldenFiles[File][] {
  const text = readFileSync(join(__dirname, '..', 'golden', file), 'utf8');
  const { cases } = JSON.parse(text) as { cases: GoldenFiles[File][] };
  if (cases.length === 0) throw new Error(`${file} holds nothing`);
  return cases;
}
