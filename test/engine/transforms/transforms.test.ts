// Data transforms compared with NumPy's values, fitted only to the train split; eigenvalues compared with their
// definition.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runToCompletion } from '../../../src/engine/cooperative-task';
import { symmetricEigen } from '../../../src/engine/symmetric-eigen';
import { type TransformKind, transforms } from '../../../src/engine/transforms';
import { applyTransforms } from '../../../src/engine/transforms/apply-transforms';
import type { TransformDefinition } from '../../../src/engine/transforms/transform';
import '../../support/allclose';

interface Case {
  readonly kind: TransformKind;
  readonly options: object;
  readonly shape: number[];
  readonly samples: number;
  readonly train: number[];
  readonly inputs: number[];
  readonly outputs: number[];
  readonly values: Record<string, number[]>;
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../golden/transforms.json'), 'utf8')) as {
  cases: Case[];
};

const transform = (kind: TransformKind, given: object = {}) => {
  const definition = transforms[kind] as TransformDefinition;
  return { definition, options: definition.options.parse(given) };
};

/** The largest difference, relative to the largest expected value. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-300);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0) / scale;
}

describe('a transform', () => {
  it.each(cases)(
    '$kind $options of $shape has the values of NumPy',
    ({ kind, options, shape, train, inputs, outputs, values }) => {
      const data = Float64Array.from(inputs);
      const [fitted] = runToCompletion(
        applyTransforms([transform(kind, options)], data, shape, Uint32Array.from(train)),
      );
      // Whitening divides by small eigenvalues: their round-off, 1e-16 of the largest one, over ε is up to 1e-10 here.
      expect(difference(data, outputs)).toBeLessThan(kind === 'zca' ? 1e-9 : 1e-11);
      expect(Object.keys(values)).toEqual(fitted.values.map(({ name }) => name));
      for (const { name, values: found } of fitted.values) expect(difference(found, values[name])).toBeLessThan(1e-13);
    },
  );

  it('is tested for each in the table', () => {
    expect(new Set(cases.map(({ kind }) => kind))).toEqual(new Set(Object.keys(transforms)));
    for (const [kind, definition] of Object.entries(transforms)) expect(definition.kind).toBe(kind);
  });

  it.each(cases)(
    '$kind $options of $shape learns nothing of the other parts',
    ({ kind, options, shape, samples, train, inputs }) => {
      const size = inputs.length / samples;
      const others = Float64Array.from(inputs);
      for (let i = 0; i < samples; i++) if (!train.includes(i)) others.fill(1e6, i * size, (i + 1) * size);
      const fit = (data: Float64Array) =>
        runToCompletion(applyTransforms([transform(kind, options)], data, shape, Uint32Array.from(train)));
      const [a] = fit(Float64Array.from(inputs));
      const [b] = fit(others);
      expect(b.values).toEqual(a.values);
    },
  );

  it('is fitted to the output of the previous one', () => {
    const data = Float64Array.of(0, 2, 4, 100);
    const fitted = runToCompletion(
      applyTransforms([transform('subtract_mean'), transform('min_max')], data, [1], Uint32Array.of(0, 1, 2)),
    );
    expect([...data]).toEqual([0, 0.5, 1, 25]);
    expect([...fitted[0].values[0].values]).toEqual([2]);
    expect([...fitted[1].values[0].values]).toEqual([-2]);
  });

  it('gives only finite numbers for constant features', () => {
    for (const kind of Object.keys(transforms) as TransformKind[]) {
      const data = new Float64Array(12).fill(0.1);
      runToCompletion(applyTransforms([transform(kind)], data, [3], Uint32Array.of(0, 1)));
      expect([...data].every((value) => Math.abs(value) < 1e-10)).toBe(true);
    }
  });
});

describe('whitened data', () => {
  it('is uncorrelated, with standard deviation 1', () => {
    const { inputs, shape, train } = cases.find(({ kind }) => kind === 'zca')!;
    const data = Float64Array.from(inputs);
    runToCompletion(applyTransforms([transform('zca', { epsilon: 1e-12 })], data, shape, Uint32Array.from(train)));
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 5; j++) {
        const covariance = train.reduce((sum, k) => sum + data[5 * k + i] * data[5 * k + j], 0) / train.length;
        expect(covariance).toBeCloseTo(i === j ? 1 : 0, 9);
      }
    }
  });
});

describe('eigenvalues of a symmetric matrix', () => {
  const matrix = fc.integer({ min: 1, max: 8 }).chain((n) =>
    fc.record({
      n: fc.constant(n),
      entries: fc.array(
        fc.oneof(
          fc.constantFrom(0, 1, -1),
          fc.double({ min: -1e3, max: 1e3, noNaN: true }),
          fc.double({ min: -1e150, max: 1e150, noNaN: true }),
        ),
        { minLength: n * n, maxLength: n * n },
      ),
    }),
  );

  it('reconstruct the matrix with their orthonormal vectors', () => {
    fc.assert(
      fc.property(matrix, ({ n, entries }) => {
        const a = Float64Array.from({ length: n * n }, (_, k) => entries[Math.min(k, (k % n) * n + Math.floor(k / n))]);
        const { values, vectors } = runToCompletion(symmetricEigen(a.slice(), n, ''));
        const scale = Math.max(1e-300, ...a.map(Math.abs));
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let again = 0;
            let inner = 0;
            for (let k = 0; k < n; k++) {
              again += values[k] * vectors[k * n + i] * vectors[k * n + j];
              inner += vectors[i * n + k] * vectors[j * n + k];
            }
            expect(Math.abs(again - a[i * n + j])).toBeLessThan(1e-13 * scale * n);
            expect(Math.abs(inner - (i === j ? 1 : 0))).toBeLessThan(1e-13);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
