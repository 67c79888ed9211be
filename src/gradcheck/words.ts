// Numbers and counts as they stand in a sentence.

export { counted, grouped } from '../engine/counted';

/** Six significant digits. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(3);
  return String(Number(value.toPrecision(6)));
}

/** `2.1e-9`. */
export const tiny = (value: number): string => (value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(1));

/** `[3, 1]`. */
export const indexText = (index: readonly number[]): string => `[${index.join(', ')}]`;
