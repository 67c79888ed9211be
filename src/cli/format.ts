// Numbers, tables and matrices as aligned text.
import type { Shape, TensorData } from '../engine/kernels/tensor';
import { escapeControls } from '../protocol/escape-controls';
import { pluralize } from '../presentation/plain-numbers';

const SIGNIFICANT_DIGITS = 9;

/** `6e-6`, `0.1`: the shortest text of a number that the user chose. */
export function formatShortest(value: number): string {
  const exponent = value.toExponential();
  const plain = String(value);
  return exponent.length < plain.length ? exponent : plain;
}

/** A cell as in RFC 4180. */
export const escapeCsv = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export const formatPercent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export const shapeText = (shape: Shape): string => (shape.length === 0 ? '1' : shape.join('×'));

/** The first `leftAligned` columns are aligned to the left, the others to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  leftAligned = 1,
): [head: string, ...rows: string[]] {
  const all = [head, ...rows].map((cells) => cells.map(escapeControls));
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  return all.map((cells) =>
    cells
      .map((cell, column) => (column < leftAligned ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  ) as [string, ...string[]];
}

/** One format for all numbers of a tensor, so that they align: nine digits for the largest. */
export function numberFormat(values: TensorData): (value: number) => string {
  let largest = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (!Number.isFinite(size) || size === 0) continue;
    largest = Math.max(largest, size);
  }
  if (largest === 0) return String;
  if (largest >= 1e7 || largest < 1e-3)
    return (value) =>
      value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(SIGNIFICANT_DIGITS - 1);
  const whole = Math.max(0, Math.floor(Math.log10(largest)) + 1);
  const exact = (value: number): boolean => Number.isInteger(value) || !Number.isFinite(value);
  if (values.every(exact)) return String;
  return (value) => (Number.isFinite(value) ? value.toFixed(SIGNIFICANT_DIGITS - whole) : String(value));
}

export interface MatrixLimits {
  readonly rows: number;
  readonly columns: number;
}

export const SCREEN_LIMITS: MatrixLimits = { rows: 8, columns: 8 };
export const NO_LIMITS: MatrixLimits = { rows: Infinity, columns: Infinity };

/**
 * A tensor as rows of a matrix, with its last dimension as columns. Of a larger one only the first rows and columns are
 * shown, and a last line says how many are hidden.
 */
export function formatMatrix(shape: Shape, values: TensorData, limits: MatrixLimits): string[] {
  const columns = shape[shape.length - 1] ?? 1;
  const rows = columns === 0 ? 0 : values.length / columns;
  const shownRows = Math.min(rows, limits.rows);
  const shownColumns = Math.min(columns, limits.columns);
  const format = numberFormat(values);
  const cells = Array.from({ length: shownRows }, (_, row) =>
    Array.from({ length: shownColumns }, (_, column) => format(values[row * columns + column]!)),
  );
  const widths = Array.from({ length: shownColumns }, (_, column) =>
    Math.max(...cells.map((row) => row[column]!.length)),
  );
  const more = shownColumns < columns ? '  …' : '';
  const lines = cells.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  ') + more);
  const hidden = [
    ...(shownRows < rows ? [pluralize(rows - shownRows, 'more row')] : []),
    ...(shownColumns < columns ? [pluralize(columns - shownColumns, 'more column')] : []),
  ];
  if (hidden.length > 0) lines.push(`… ${hidden.join(' and ')}; --full shows all`);
  return lines;
}
