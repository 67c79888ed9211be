import * as z from 'zod/mini';
import { sizeOf } from '../kernels/tensor';
import { positive } from '../options';
import type { InPieces } from '../pieces';
import { symmetricEigen } from '../symmetric-eigen';
import { defineTransform, type FitContext, type Fitted, groupsOf, meansOf } from './transform';

const WORDS = 'Whitening the data';

/** With covariance U diag(λ) Uᵀ: x ↦ U diag(1 / √(λ + ε)) Uᵀ (x - mean). Krizhevsky, 2009, appendix A. */
export const zca = defineTransform({
  kind: 'zca',
  summary:
    'ZCA whitening: the features of the training part get mean 0 and become uncorrelated with deviation 1, while a sample stays as ' +
    'near as possible to what it was. Takes up to 4,096 features; with n of them the work grows as n³.',
  options: z.strictObject({
    epsilon: z._default(positive('Added to the eigenvalues of the covariance, so that directions without variance are not blown up.'), 1e-5),
  }),
  mostFeatures: 4096,
  *fit(context): InPieces<Fitted> {
    const size = sizeOf(context.shape);
    const mean = meansOf(context, groupsOf(context.shape, 'feature'));
    const { values, vectors } = yield* symmetricEigen(yield* covariance(context, mean), size, WORDS);
    const matrix = yield* whitening(values, vectors, context.options.epsilon);
    const centred = new Float64Array(size);
    return {
      values: [{ name: 'mean', shape: context.shape, values: mean }, { name: 'eigenvalues', shape: [size], values: values.sort().reverse() }],
      apply(inputs, from) {
        for (let j = 0; j < size; j++) centred[j] = inputs[from + j] - mean[j];
        for (let i = 0, at = 0; i < size; i++) {
          let sum = 0;
          for (let j = 0; j < size; j++, at++) sum += matrix[at] * centred[j];
          inputs[from + i] = sum;
        }
      },
    };
  },
});

/** Dividing by the number of samples. */
function* covariance({ inputs, shape, train }: FitContext<unknown>, mean: Float64Array): InPieces<Float64Array> {
  const size = sizeOf(shape);
  const sums = new Float64Array(size * size);
  const centred = new Float64Array(size);
  const often = Math.max(1, Math.floor(1e7 / (size * size)));
  for (let k = 0; k < train.length; k++) {
    for (let j = 0; j < size; j++) centred[j] = inputs[train[k] * size + j] - mean[j];
    for (let i = 0; i < size; i++) {
      const value = centred[i];
      if (value === 0) continue;
      for (let j = 0, at = i * size; j <= i; j++, at++) sums[at] += value * centred[j];
    }
    if (k % often === 0) yield WORDS;
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) sums[j * size + i] = sums[i * size + j] /= train.length;
  }
  return sums;
}

function* whitening(values: Float64Array, vectors: Float64Array, epsilon: number): InPieces<Float64Array> {
  const size = values.length;
  const matrix = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    // Rounding may leave an eigenvalue a little below 0.
    const scale = 1 / Math.sqrt(Math.max(0, values[k]) + epsilon);
    for (let i = 0; i < size; i++) {
      const value = scale * vectors[k * size + i];
      for (let j = 0, at = i * size, from = k * size; j < size; j++, at++, from++) matrix[at] += value * vectors[from];
    }
    if (k % 16 === 0) yield WORDS;
  }
  return matrix;
}
