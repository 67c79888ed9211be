// Numbers in ASCII, for terminals, build servers and editor messages.

export { pluralize, formatInteger } from '../engine/format-count';
export { formatIndex } from './tensor-index';

/** Six significant digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(3);
  return String(Number(value.toPrecision(6)));
}

/** `2.1e-9`. */
export const formatExponential = (value: number): string =>
  value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(1);
