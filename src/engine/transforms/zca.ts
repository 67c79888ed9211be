import * as z from 'zod/mini';
import { numel } from '../kernels/tensor';
import { positiveNumber } from '../option-schemas';
import type { CooperativeTask } from '../cooperative-task';
import { symmetricEigen } from '../symmetric-eigen';
import { defineTransform, type FitContext, type TransformFit, featureGroups, groupMeans } from './transform';

const PROGRESS_MESSAGE = 'Whitening the data';

/** With covariance U diag(λ) Uᵀ: x ↦ U diag(1 / √(λ + ε)) Uᵀ (x - mean). Krizhevsky, 2009, appendix A. */
export const zca = defineTransform({
  kind: 'zca',
  aliases: ['whiten', 'whitening'],
  summary:
    'ZCA whitening: makes the features of the training split uncorrelated, with mean 0 and standard deviation 1, and changes ' +
    'samples as little as possible. Up to 4,096 features; the time grows with the cube of their number.',
  options: z.strictObject({
    epsilon: z._default(
      positiveNumber(
        'Added to the eigenvalues of the covariance, so that directions with little variance are not amplified.',
      ),
      1e-5,
    ),
  }),
  maxFeatures: 4096,
  *fit(context): CooperativeTask<TransformFit> {
    const size = numel(context.shape);
    const mean = groupMeans(context, featureGroups(context.shape, 'feature'));
    const { values, vectors } = yield* symmetricEigen(yield* covariance(context, mean), size, PROGRESS_MESSAGE);
    const matrix = yield* whiteningMatrix(values, vectors, context.options.epsilon);
    const centered = new Float64Array(size);
    return {
      values: [
        { name: 'mean', shape: context.shape, values: mean },
        { name: 'eigenvalues', shape: [size], values: values.sort().reverse() },
      ],
      apply(inputs, from) {
        for (let j = 0; j < size; j++) centered[j] = inputs[from + j]! - mean[j]!;
        for (let i = 0, at = 0; i < size; i++) {
          let sum = 0;
          for (let j = 0; j < size; j++, at++) sum += matrix[at]! * centered[j]!;
          inputs[from + i] = sum;
        }
      },
    };
  },
});

/** The covariance, divided by the number of samples. */
function* covariance(
  { inputs, shape, trainIndices }: FitContext<unknown>,
  mean: Float64Array,
): CooperativeTask<Float64Array> {
  const size = numel(shape);
  const sums = new Float64Array(size * size);
  const centered = new Float64Array(size);
  const yieldInterval = Math.max(1, Math.floor(1e7 / (size * size)));
  for (let k = 0; k < trainIndices.length; k++) {
    for (let j = 0; j < size; j++) centered[j] = inputs[trainIndices[k]! * size + j]! - mean[j]!;
    for (let i = 0; i < size; i++) {
      const value = centered[i]!;
      if (value === 0) continue;
      for (let j = 0, at = i * size; j <= i; j++, at++) sums[at]! += value * centered[j]!;
    }
    if (k % yieldInterval === 0) yield PROGRESS_MESSAGE;
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) sums[j * size + i] = sums[i * size + j]! /= trainIndices.length;
  }
  return sums;
}

function* whiteningMatrix(values: Float64Array, vectors: Float64Array, epsilon: number): CooperativeTask<Float64Array> {
  const size = values.length;
  const matrix = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    // Round-off can make an eigenvalue slightly negative.
    const scale = 1 / Math.sqrt(Math.max(0, values[k]!) + epsilon);
    for (let i = 0; i < size; i++) {
      const value = scale * vectors[k * size + i]!;
      for (let j = 0, at = i * size, from = k * size; j < size; j++, at++, from++)
        matrix[at]! += value * vectors[from]!;
    }
    if (k % 16 === 0) yield PROGRESS_MESSAGE;
  }
  return matrix;
}
