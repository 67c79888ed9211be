// Results as JSON. Numbers keep every digit; what JSON has no number for is written as "NaN", "Infinity" and
// "-Infinity".
import type { Shape, TensorData } from '../engine/kernels/tensor';

/** Nested lists, as numpy and torch print them. */
export type Nested = number | readonly Nested[];

export function nested(shape: Shape, values: TensorData): Nested {
  const build = (dimension: number, from: number): Nested => {
    if (dimension === shape.length) return values[from];
    const step = shape.slice(dimension + 1).reduce((size, n) => size * n, 1);
    return Array.from({ length: shape[dimension] }, (_, i) => build(dimension + 1, from + i * step));
  };
  return build(0, 0);
}

/** One line a value would be endless, one line in all unreadable: lists of plain numbers stay on their line. */
export function jsonText(value: unknown): string {
  const marked = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    return inner instanceof Float64Array || inner instanceof Float32Array || inner instanceof Uint32Array ? Array.from(inner) : inner;
  }, 2);
  return `${marked.replace(/\[\s+((?:-?\d[^[\]{}\s]*|"-?Infinity"|"NaN"),?\s+)+\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )}\n`;
}
