// A bounded sample of the train split for the rules that need data: large enough to judge, small enough to be fast.
import { numel } from '../engine/kernels/tensor';
import type { CompiledRun } from '../model-spec';

/** Maximum number of samples, evenly spaced over the train split. */
const MAX_SAMPLES = 1000;
/** Maximum number of numbers in total: fewer samples if each is large. */
const MAX_NUMBERS = 200_000;

export interface TrainingSample {
  readonly samples: number;
  /** Numbers per input. */
  readonly width: number;
  /** [samples, width], as the network receives them. */
  readonly inputs: Float64Array;
  readonly targetWidth: number;
  /** [samples, targetWidth], as the loss receives them. */
  readonly targets: Float64Array;
  /** Class of each sample; null if targets are values, or classes at each position of sequences. */
  readonly classes: Int32Array | null;
}

export function sampleTrainingSplit(run: CompiledRun): TrainingSample {
  const { dataset, split, targets, targetWidth, labels } = run;
  const width = numel(dataset.inputShape);
  const limit = Math.max(1, Math.min(MAX_SAMPLES, Math.floor(MAX_NUMBERS / width)));
  const stride = Math.max(1, Math.ceil(split.train.length / limit));
  const rows = split.train.filter((_, i) => i % stride === 0);
  const take = (from: ArrayLike<number>, size: number): Float64Array => {
    const to = new Float64Array(rows.length * size);
    rows.forEach((row, i) => {
      for (let j = 0; j < size; j++) to[i * size + j] = from[row * size + j]!;
    });
    return to;
  };
  return {
    samples: rows.length,
    width,
    inputs: take(dataset.inputs, width),
    targetWidth,
    targets: take(targets, targetWidth),
    classes: labels && dataset.targetSize === 1 ? Int32Array.from(rows, (row) => dataset.targets[row]!) : null,
  };
}

/** The values of an input column. */
export const columnOf = ({ inputs, width, samples }: TrainingSample, column: number): Float64Array =>
  Float64Array.from({ length: samples }, (_, i) => inputs[i * width + column]!);

/** The share of each class that occurs, largest first. */
export function classShares(classes: Int32Array): { readonly index: number; readonly share: number }[] {
  const counts = new Map<number, number>();
  for (const index of classes) counts.set(index, (counts.get(index) ?? 0) + 1);
  return [...counts]
    .map(([index, count]) => ({ index, share: count / classes.length }))
    .sort((a, b) => b.share - a.share);
}
