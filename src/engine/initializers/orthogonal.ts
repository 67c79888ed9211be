// Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2014.
import * as z from 'zod/mini';
import { numel, type Shape1 } from '../kernels/tensor';
import { positiveNumber } from '../option-schemas';
import { defineTensorInitializer } from './initializer';

/**
 * Makes `count` vectors of `size` entries orthonormal in place, by Gram and Schmidt: what QR with a positive diagonal
 * gives, so that normal draws become uniformly distributed over all such sets. Twice, because once loses digits.
 */
function orthonormalize(vectors: Float64Array, count: number, size: number): void {
  for (let i = 0; i < count; i++) {
    const own = vectors.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = vectors.subarray(j * size, (j + 1) * size);
        let dot = 0;
        for (let k = 0; k < size; k++) dot += own[k]! * other[k]!;
        for (let k = 0; k < size; k++) own[k]! -= dot * other[k]!;
      }
      let squares = 0;
      for (let k = 0; k < size; k++) squares += own[k]! * own[k]!;
      const norm = Math.sqrt(squares);
      for (let k = 0; k < size; k++) own[k]! /= norm;
    }
  }
}

export const orthogonal = defineTensorInitializer({
  kind: 'orthogonal',
  summary:
    'gain times a matrix with orthonormal rows, or columns if there are fewer of them: it preserves lengths. A bias becomes a vector of length gain.',
  options: z.strictObject({ gain: z._default(positiveNumber('Factor for the activation that follows.'), 1) }),
  gain: ({ gain }) => gain,
  fill(out, random, shape, { gain }) {
    const [rows, ...rest] = shape as Shape1;
    const columns = numel(rest);
    const [count, size] = rows < columns ? [rows, columns] : [columns, rows];
    const vectors = Float64Array.from({ length: count * size }, () => random.normal());
    orthonormalize(vectors, count, size);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        out[i * columns + j] = gain * (rows < columns ? vectors[i * size + j]! : vectors[j * size + i]!);
      }
    }
  },
});
