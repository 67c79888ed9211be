// Fits the transforms of a run, one after the other, each on what the one before made of the training part.
import { sizeOf, type Shape, type TensorData } from '../kernels/tensor';
import type { InPieces } from '../pieces';
import type { Fitted, FittedValues, TransformDefinition } from './transform';

export interface Transform {
  readonly definition: TransformDefinition;
  readonly options: unknown;
}

/** What a transform learned from the training part. */
export interface FittedTransform {
  readonly definition: TransformDefinition;
  readonly values: readonly FittedValues[];
}

/** Changes all inputs in place. */
export function* applyTransforms(
  transforms: readonly Transform[],
  inputs: TensorData,
  shape: Shape,
  train: Uint32Array,
): InPieces<readonly FittedTransform[]> {
  const size = sizeOf(shape);
  const often = Math.max(1, Math.floor(1e6 / size));
  const all: FittedTransform[] = [];
  for (const { definition, options } of transforms) {
    const words = `Fitting ${definition.kind} to the training part`;
    yield words;
    const begun = definition.fit({ options, inputs, shape, train });
    const fitted: Fitted = 'apply' in begun ? begun : yield* begun;
    for (let i = 0, from = 0; from < inputs.length; i++, from += size) {
      fitted.apply(inputs, from);
      if (i % often === 0) yield words;
    }
    all.push({ definition, values: fitted.values });
  }
  return all;
}
