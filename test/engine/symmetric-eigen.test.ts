// Eigenvalues and eigenvectors: the matrix times each vector is the value times the vector.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToCompletion } from '../../src/engine/cooperative-task';
import { DataError } from '../../src/engine/datasets/data-error';
import { Random } from '../../src/engine/random';
import { symmetricEigen } from '../../src/engine/symmetric-eigen';

const solve = (matrix: Float64Array, n: number) => runToCompletion(symmetricEigen(matrix.slice(), n, ''));

/** Largest entry of A v - λ v over all pairs, relative to the largest eigenvalue. */
function residual(matrix: Float64Array, n: number): number {
  const { values, vectors } = solve(matrix, n);
  const norm = Math.max(...values.map(Math.abs)) || 1;
  let worst = 0;
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += matrix[i * n + j] * vectors[k * n + j];
      worst = Math.max(worst, Math.abs(sum - values[k] * vectors[k * n + i]) / norm);
    }
  }
  return worst;
}

/** F Fᵀ of rank `rank`: what is left of the spectrum is round-off. */
function gramMatrix(seed: number, n: number, rank: number, scale: number): Float64Array {
  const random = new Random(seed, 'gram');
  const factors = Float64Array.from({ length: n * rank }, () => scale * random.normal());
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += factors[i * rank + k] * factors[j * rank + k];
      matrix[i * n + j] = matrix[j * n + i] = sum;
    }
  }
  return matrix;
}

describe('symmetricEigen', () => {
  it('solves matrices of every rank and scale up to round-off', () => {
    const cases = fc.record({
      seed: fc.nat(),
      n: fc.integer({ min: 1, max: 30 }),
      rank: fc.integer({ min: 1, max: 30 }),
      exponent: fc.integer({ min: -100, max: 100 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, n, rank, exponent }) => {
        expect(residual(gramMatrix(seed, n, rank, 10 ** exponent), n)).toBeLessThan(1e-13);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it.each([
    ['zeros', [0, 0, 0, 0], 2],
    ['the identity', [1, 0, 0, 0, 1, 0, 0, 0, 1], 3],
    ['equal entries', Array<number>(25).fill(1), 5],
    ['a zero diagonal', [0, 1, 1, 0], 2],
  ])('solves %s', (_what, entries, n) => {
    expect(residual(Float64Array.from(entries), n)).toBeLessThan(1e-15);
  });

  it.each([NaN, Infinity])('rejects a matrix with %d as a data problem', (value) => {
    expect(() => solve(Float64Array.of(1, value, value, 1), 2)).toThrow(DataError);
  });
});
