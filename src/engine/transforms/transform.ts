// The definition of a data transform: fitted to the training split only, then applied to every sample. The fitted
// values are kept for display.
import * as z from 'zod/mini';
import { numel, type Shape, type TensorData } from '../kernels/tensor';
import type { CooperativeTask } from '../cooperative-task';

export interface FitContext<Options> {
  readonly options: Options;
  /** [samples, ...shape]. */
  readonly inputs: TensorData;
  /** The shape of one sample. */
  readonly shape: Shape;
  /** The training samples. */
  readonly trainIndices: Uint32Array;
}

/** Fitted numbers, such as `mean` or `std`. */
export interface FittedValues {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float64Array;
}

export interface TransformFit {
  readonly values: readonly FittedValues[];
  /** Transforms the sample that begins at `from`, in place. */
  apply(inputs: TensorData, from: number): void;
}

export interface TransformDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Maximum number of numbers in a sample; unlimited by default. */
  readonly maxFeatures?: number;
  fit(context: FitContext<Options>): TransformFit | CooperativeTask<TransformFit>;
}

export const defineTransform = <const Kind extends string, Options>(
  definition: TransformDefinition<Kind, Options>,
): TransformDefinition<Kind, Options> => definition;

/** The option `per`: which numbers of a sample to group. */
export const perOption = (fallback: 'feature' | 'channel') =>
  z._default(
    z
      .enum(['feature', 'channel', 'all'])
      .check(
        z.describe(
          'Which numbers share their statistics: each feature has its own (`feature`), all with the same first index share them, such as ' +
            'an image channel (`channel`), or all numbers do (`all`).',
        ),
      ),
    fallback,
  );

export type Per = 'feature' | 'channel' | 'all';

/** Groups of numbers within a sample: how many, their shape, and the group of number j. */
export interface FeatureGroups {
  readonly count: number;
  readonly shape: Shape;
  readonly groupIndices: Uint32Array;
}

export function featureGroups(shape: Shape, per: Per): FeatureGroups {
  const size = numel(shape);
  const count = per === 'feature' ? size : per === 'channel' ? shape[0]! : 1;
  const each = size / count;
  return {
    count,
    shape: per === 'feature' ? shape : per === 'channel' ? [count] : [],
    groupIndices: Uint32Array.from({ length: size }, (_, j) => Math.floor(j / each)),
  };
}

/** Visits every number of the training samples, with its group. */
export function forEachTrainValue(
  { inputs, shape, trainIndices }: FitContext<unknown>,
  groups: FeatureGroups,
  visit: (value: number, group: number) => void,
): void {
  const size = numel(shape);
  for (const sample of trainIndices) {
    for (let j = 0, at = sample * size; j < size; j++, at++) visit(inputs[at]!, groups.groupIndices[j]!);
  }
}

/** The mean of each group. */
export function groupMeans(context: FitContext<unknown>, groups: FeatureGroups): Float64Array {
  const means = new Float64Array(groups.count);
  forEachTrainValue(context, groups, (value, group) => {
    means[group]! += value;
  });
  const each = (context.trainIndices.length * numel(context.shape)) / groups.count;
  return means.map((sum) => sum / each);
}

/** The standard deviation of each group around its mean, dividing by the number of values. */
export function groupStds(context: FitContext<unknown>, groups: FeatureGroups, means: Float64Array): Float64Array {
  const squares = new Float64Array(groups.count);
  forEachTrainValue(context, groups, (value, group) => {
    const difference = value - means[group]!;
    squares[group]! += difference * difference;
  });
  const each = (context.trainIndices.length * numel(context.shape)) / groups.count;
  return squares.map((sum) => Math.sqrt(sum / each));
}

/** x ↦ (x - from[group]) / by[group] + to. */
export function shiftAndScale(
  { groupIndices }: FeatureGroups,
  shift: Float64Array,
  divisor: Float64Array,
  offset = 0,
): TransformFit['apply'] {
  return (inputs, start) => {
    for (let j = 0; j < groupIndices.length; j++) {
      const group = groupIndices[j]!;
      inputs[start + j] = (inputs[start + j]! - shift[group]!) / divisor[group]! + offset;
    }
  };
}
