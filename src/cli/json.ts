// Results as JSON. Numbers keep every digit; NaN and infinities, which JSON lacks, are the strings "NaN", "Infinity"
// and "-Infinity".
import type { Shape, TensorData } from '../engine/kernels/tensor';
import type { Terminal } from './terminal';

/** Nested lists, as numpy and torch print them. */
export type NestedList = number | readonly NestedList[];

export function toNestedList(shape: Shape, values: TensorData): NestedList {
  const build = (dimension: number, from: number): NestedList => {
    if (dimension === shape.length) return values[from]!;
    const step = shape.slice(dimension + 1).reduce((size, n) => size * n, 1);
    return Array.from({ length: shape[dimension]! }, (_, i) => build(dimension + 1, from + i * step));
  };
  return build(0, 0);
}

/** Prints the result of a command. */
export const printJson = (terminal: Pick<Terminal, 'out'>, value: object): void =>
  terminal.out.write(toJsonText(value));

/**
 * Indented, with each list of numbers on one line. Also escapes control and bidirectional characters, which JSON does
 * not require.
 */
export const toJsonText = (value: unknown): string =>
  `${writeJson(value, '')}\n`.replace(
    /[\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function writeJson(value: unknown, indent: string): string {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (ArrayBuffer.isView(value)) return writeJson(Array.from(value as unknown as ArrayLike<number>), indent);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => writeJson(item, inner));
    return value.every((item) => typeof item === 'number')
      ? `[${items.join(', ')}]`
      : formatBlock('[', items, ']', indent);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}: ${writeJson(member, inner)}`);
  return formatBlock('{', members, '}', indent);
}

function formatBlock(open: string, parts: readonly string[], close: string, indent: string): string {
  return parts.length === 0
    ? open + close
    : `${open}\n${parts.map((part) => `${indent}  ${part}`).join(',\n')}\n${indent}${close}`;
}
