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

/** Indented, with lists of plain numbers on one line each. */
export const jsonText = (value: unknown): string => `${written(value, '')}\n`;

function written(value: unknown, indent: string): string {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (ArrayBuffer.isView(value)) return written(Array.from(value as unknown as ArrayLike<number>), indent);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => written(item, inner));
    return value.every((item) => typeof item === 'number') ? `[${items.join(', ')}]` : block('[', items, ']', indent);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}: ${written(member, inner)}`);
  return block('{', members, '}', indent);
}

function block(open: string, parts: readonly string[], close: string, indent: string): string {
  return parts.length === 0 ? open + close : `${open}\n${parts.map((part) => `${indent}  ${part}`).join(',\n')}\n${indent}${close}`;
}
