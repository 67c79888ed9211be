// expect(actual).toBeAllclose(expected): every element within a relative error, scaled by the larger of the two
// magnitudes. An expected 0 must be exactly 0 unless an absolute tolerance allows otherwise.
import { expect } from 'vitest';
import { flat, type Numbers } from './nested-lists';

export interface Tolerance {
  /** |a - b| / max(|a|, |b|) may be this large. */
  readonly rtol?: number;
  /** Or |a - b| may be this large: one bound, or one for each element. */
  readonly atol?: number | ArrayLike<number>;
}

/** The tolerance for float64 results. */
export const RTOL_FLOAT64 = 1e-12;

/** 0 for equal numbers (both 0, the same infinity, both NaN); infinite if only one is finite. */
export function relativeError(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const error = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  return Number.isFinite(error) ? error : Infinity;
}

interface Worst {
  readonly index: number;
  readonly error: number;
}

function firstFailures(actual: readonly number[], expected: readonly number[], tolerance: Tolerance): Worst[] {
  const { rtol = RTOL_FLOAT64, atol = 0 } = tolerance;
  const failures: Worst[] = [];
  actual.forEach((value, index) => {
    const error = relativeError(value, expected[index]);
    const bound = typeof atol === 'number' ? atol : atol[index];
    const near = Math.abs(value - expected[index]) <= bound;
    if (error > rtol && !near) failures.push({ index, error });
  });
  return failures.sort((a, b) => b.error - a.error);
}

declare module 'vitest' {
  // An interface merges only under the same type parameters.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface Matchers<R, T> {
    toBeAllclose(expected: Numbers, tolerance?: Tolerance): R;
  }
}

expect.extend({
  toBeAllclose(received: Numbers, wanted: Numbers, tolerance: Tolerance = {}) {
    const actual = flat(received);
    const expected = flat(wanted);
    if (actual.length === 0 || actual.length !== expected.length) {
      return {
        pass: false,
        message: () => `${actual.length} numbers cannot be compared with ${expected.length}`,
        actual,
        expected,
      };
    }
    const failures = firstFailures(actual, expected, tolerance);
    const lines = failures
      .slice(0, 5)
      .map(
        ({ index, error }) =>
          `  [${index}] ${actual[index]} instead of ${expected[index]}, relative error ${error.toExponential(2)}`,
      );
    const more = failures.length > 5 ? `\n  and ${failures.length - 5} more` : '';
    return {
      pass: failures.length === 0,
      message: () =>
        failures.length === 0
          ? `all ${actual.length} numbers are close`
          : `${failures.length} of ${actual.length} numbers are off:\n${lines.join('\n')}${more}`,
      actual,
      expected,
    };
  },
});
