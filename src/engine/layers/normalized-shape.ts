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
