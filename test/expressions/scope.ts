// Tensors for expressions in tests.
import type { Scope } from '../../src/expressions';

export interface Fixture {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const tensors: Readonly<Record<string, Fixture>> = {
  a: { shape: [2, 3], data: Float64Array.of(-2.5, -1, 0, 0.5, 2, 4) },
  b: { shape: [3], data: Float64Array.of(1, -2, 0.25) },
  'hidden.weight': { shape: [2, 2, 2], data: Float64Array.of(3, -1, 0.5, 7, -0.125, 0, 2, -6) },
  bad: { shape: [2], data: Float64Array.of(NaN, 1) },
  huge: { shape: [1e9], data: new Float64Array(0) },
};
export const numbers: Readonly<Record<string, number>> = { loss: 0.75, step: 12 };

/** `grad(x)` is -x, `update(x)` x / 8. */
export const scope: Scope = {
  resolve(name, aspect) {
    const number = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
    if (number !== undefined && aspect === 'value') return { kind: 'number', read: () => number };
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (!found) return `There is no ${name}.`;
    const scale = { value: 1, gradient: -1, update: 1 / 8 }[aspect];
    return { kind: 'tensor', shape: found.shape, data: found.data.map((value) => value * scale) };
  },
};
