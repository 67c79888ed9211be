// What a transform of the data is: fitted on the training part alone, then applied to every sample. What it learned of
// the training part is kept to be looked at.
import * as z from 'zod/mini';
import { sizeOf, type Shape, type TensorData } from '../kernels/tensor';
import type { InPieces } from '../pieces';

export interface FitContext<Options> {
  readonly options: Options;
  /** [samples, ...shape]. */
  readonly inputs: TensorData;
  /** Of one sample. */
  readonly shape: Shape;
  /** Samples to fit on. */
  readonly train: Uint32Array;
}

/** Numbers that were learned, by what they are: `mean`, `std`. */
export interface FittedValues {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float64Array;
}

export interface Fitted {
  readonly values: readonly FittedValues[];
  /** Changes the sample that begins at `from`, in place. */
  apply(inputs: TensorData, from: number): void;
}

export interface TransformDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Most numbers in a sample; any number unless told. */
  readonly mostFeatures?: number;
  fit(context: FitContext<Options>): Fitted | InPieces<Fitted>;
}

export const defineTransform = <const Kind extends string, Options>(
  definition: TransformDefinition<Kind, Options>,
): TransformDefinition<Kind, Options> => definition;

/** Which numbers of a sample are taken together. */
export const perOption = (fallback: 'feature' | 'channel') =>
  z._default(
    z
      .enum(['feature', 'channel', 'all'])
      .check(
        z.describe(
          'What is measured together: every number of a sample by itself (`feature`), all that have the same first index, which is the ' +
            'channel of an image (`channel`), or everything (`all`).',
        ),
      ),
    fallback,
  );

export type Per = 'feature' | 'channel' | 'all';

/** Groups of numbers within a sample: how many, their shape, and which one number j belongs to. */
export interface Groups {
  readonly count: number;
  readonly shape: Shape;
  readonly of: Uint32Array;
}

export function groupsOf(shape: Shape, per: Per): Groups {
  const size = sizeOf(shape);
  const count = per === 'feature' ? size : per === 'channel' ? shape[0] : 1;
  const each = size / count;
  return {
    count,
    shape: per === 'feature' ? shape : per === 'channel' ? [count] : [],
    of: Uint32Array.from({ length: size }, (_, j) => Math.floor(j / each)),
  };
}

/** Calls back for every number of the training samples, with its group. */
export function eachOf({ inputs, shape, train }: FitContext<unknown>, groups: Groups, visit: (value: number, group: number) => void): void {
  const size = sizeOf(shape);
  for (const sample of train) {
    for (let j = 0, at = sample * size; j < size; j++, at++) visit(inputs[at], groups.of[j]);
  }
}

/** The mean of each group. */
export function meansOf(context: FitContext<unknown>, groups: Groups): Float64Array {
  const means = new Float64Array(groups.count);
  eachOf(context, groups, (value, group) => {
    means[group] += value;
  });
  const each = (context.train.length * sizeOf(context.shape)) / groups.count;
  return means.map((sum) => sum / each);
}

/** The standard deviation of each group around its mean, dividing by the number of values. */
export function deviationsOf(context: FitContext<unknown>, groups: Groups, means: Float64Array): Float64Array {
  const squares = new Float64Array(groups.count);
  eachOf(context, groups, (value, group) => {
    const difference = value - means[group];
    squares[group] += difference * difference;
  });
  const each = (context.train.length * sizeOf(context.shape)) / groups.count;
  return squares.map((sum) => Math.sqrt(sum / each));
}

/** x ↦ (x - from[group]) / by[group] + to. */
export function affine({ of }: Groups, from: Float64Array, by: Float64Array, to = 0): Fitted['apply'] {
  return (inputs, start) => {
    for (let j = 0; j < of.length; j++) {
      const group = of[j];
      inputs[start + j] = (inputs[start + j] - from[group]) / by[group] + to;
    }
  };
}
