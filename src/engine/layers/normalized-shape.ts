// The options that layer_norm and rms_norm share: over which of the last sizes of a sample they normalize.
import * as z from 'zod/mini';
import { formatShape, numel, type Shape, type Tensor } from '../kernels/tensor';
import { positiveInteger } from '../option-schemas';
import type { InputMismatch } from './layer';

export const normalizedShapeOption = z.optional(
  z
    .array(positiveInteger('Size'))
    .check(
      z.minLength(1),
      z.describe(
        'The last sizes of a sample, over which to normalize: [features] for each position of a sequence on its own. By default, the whole sample.',
      ),
    ),
);

export const elementwiseAffine = (description: string) => z._default(z.boolean().check(z.describe(description)), true);

interface Options {
  readonly normalized_shape?: number[] | undefined;
}

export const normalizedShape = (input: Shape, { normalized_shape }: Options): Shape => normalized_shape ?? input;

/** The number of values that are normalized together. */
export const normalizedSize = ({ shape, data }: Tensor, { normalized_shape }: Options): number =>
  normalized_shape ? numel(normalized_shape) : data.length / shape[0]!;

export function checkNormalizedShape(input: Shape, layer: Options): InputMismatch | undefined {
  const wanted = normalizedShape(input, layer);
  const own = input.slice(-wanted.length);
  if (wanted.length <= input.length && wanted.every((size, i) => size === own[i])) return undefined;
  return {
    requirement: `normalizes over ${formatShape(wanted)}`,
    remedy: 'Omit "normalized_shape" to normalize over the whole sample.',
    option: 'normalized_shape',
  };
}

/** The indices of a normalization in its formulas, in brackets; empty where there is nothing to index. */
export function normalizedIndices(input: Shape, layer: Options) {
  const inner = normalizedShape(input, layer).length;
  const rows = ['s', 't'].slice(0, input.length - inner);
  const [names, others] = [
    ['i', 'j', 'k'],
    ['a', 'b', 'c'],
  ].map((each) => each.slice(0, inner)) as [string[], string[]];
  const bracket = (indices: readonly string[]): string => (indices.length > 0 ? `[${indices.join(', ')}]` : '');
  return {
    /** Of an entry, and of the others that are normalized with it, which `over` lists. */
    at: bracket([...rows, ...names]),
    all: bracket([...rows, ...others]),
    over: others.join(', '),
    /** Of what is normalized together, and of a parameter's entry. */
    outer: bracket(rows),
    entry: bracket(names),
    samples: ['samples', ...rows].join(', '),
  };
}
