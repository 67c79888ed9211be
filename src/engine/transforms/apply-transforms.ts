// Fits and applies the transforms of a run in order, each to the output of the one before.
import { numel, type Shape, type TensorData } from '../kernels/tensor';
import type { CooperativeTask } from '../cooperative-task';
import type { TransformFit, FittedValues, TransformDefinition } from './transform';

export interface Transform {
  readonly definition: TransformDefinition;
  readonly options: unknown;
}

/** The values that a transform was fitted to. */
export interface FittedTransform {
  readonly definition: TransformDefinition;
  readonly values: readonly FittedValues[];
}

/** Transforms all inputs in place. */
export function* applyTransforms(
  transforms: readonly Transform[],
  inputs: TensorData,
  shape: Shape,
  trainIndices: Uint32Array,
): CooperativeTask<readonly FittedTransform[]> {
  const size = numel(shape);
  const yieldInterval = Math.max(1, Math.floor(1e6 / size));
  const all: FittedTransform[] = [];
  for (const { definition, options } of transforms) {
    const progressMessage = `Fitting ${definition.kind} to the training split`;
    yield progressMessage;
    const fitting = definition.fit({ options, inputs, shape, trainIndices });
    const fitted: TransformFit = 'apply' in fitting ? fitting : yield* fitting;
    for (let i = 0, from = 0; from < inputs.length; i++, from += size) {
      fitted.apply(inputs, from);
      if (i % yieldInterval === 0) yield progressMessage;
    }
    all.push({ definition, values: fitted.values });
  }
  return all;
}
