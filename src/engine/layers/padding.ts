// What layers that leave out padding have in common.
import * as z from 'zod/mini';
import { alias } from '../option-schemas';
import type { Tensor } from '../kernels/tensor';
import type { BackwardContext } from './layer';

/** @param effect continues "Positions of the data with this index are padding: " */
export const paddingOption = (effect: string) =>
  z.optional(
    z
      .int()
      .check(
        z.gte(0),
        z.describe(
          `Positions of the data with this index are padding, which fills up short sequences: ${effect} ` +
            'Write the index of the embedding.',
        ),
        alias('padding_index', 'pad_idx', 'pad_token', 'pad_token_id', 'padding_value', 'mask_value'),
      ),
  );

export interface PaddingOptions {
  readonly padding_idx?: number | undefined;
}

/** A layer's inputs without the indices that say where padding is, which come last. */
export const withoutIndices = <T>({ padding_idx }: PaddingOptions, inputs: readonly T[]): readonly T[] =>
  padding_idx === undefined ? inputs : inputs.slice(0, -1);

export interface Padding {
  /** [batch, positions] */
  readonly indices: Tensor;
  readonly index: number;
}

/** Where padding is; null for a layer that leaves none out. */
export const paddingOf = ({ padding_idx }: PaddingOptions, otherInputs: readonly Tensor[]): Padding | null =>
  padding_idx === undefined ? null : { indices: otherInputs.at(-1)!, index: padding_idx };

/** Indices have no gradient. */
export function fillIndexGradient<Options extends PaddingOptions>(context: BackwardContext<Options>): void {
  const gradient = context.options.padding_idx === undefined ? null : context.gradOtherInputs.at(-1);
  if (gradient) context.kernels.fill(gradient, 0);
}

/** The same as a formula. */
export const indexGradientFormulas = ({ padding_idx }: PaddingOptions, inputs: readonly string[]): readonly string[] =>
  padding_idx === undefined ? [] : [`d(${inputs.at(-1)!}) = 0`];
