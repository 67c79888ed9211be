// Numbers in the panel and in HTML reports: typographic signs, four significant digits. For reading only; the full
// value is in an attribute (title, data-value).
export { formatInteger, pluralize } from '../engine/format-count';
export { formatIndex } from './tensor-index';
import { formatInteger } from '../engine/format-count';

export const MINUS = '−';
/** As wide as a tabular digit; takes the place of a minus sign. */
export const FIGURE_SPACE = '\u2007';
const NARROW_SPACE = '\u202f';

/** Four significant digits, never fewer than the integer part; scientific below 1e-3 and from 1e5. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 ? MINUS : '';
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 99999.5) return sign + scientific(size);
  return sign + (size < 9999.5 ? size.toPrecision(4) : size.toFixed(0));
}

function scientific(size: number): string {
  const [digits, exponent] = size.toExponential(3).split('e') as [string, string];
  return `${digits}e${exponent.replace('+', '').replace('-', MINUS)}`;
}

/** Leaves room for a minus sign, so that columns align. */
export function formatSigned(value: number): string {
  const text = formatNumber(value);
  return text.startsWith(MINUS) ? text : FIGURE_SPACE + text;
}

/** All digits that distinguish this number from its neighbors, in ASCII, so that any program can read it. */
export function formatExact(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A measured speed: two digits. */
export function formatRate(rate: number): string {
  return rate >= 9.95 ? formatInteger(Math.round(rate)) : rate.toFixed(1);
}

/** Up to six significant digits without trailing zeros, for axis ticks and settings. */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(value.toPrecision(6))).replace('-', MINUS);
  const [digits, exponent] = value.toExponential(6).split('e');
  return `${Number(digits)}e${Number(exponent)}`.replaceAll('-', MINUS);
}

/** The inverse of the formats above, for fields: decimal notation with either minus sign. Null if it is no number. */
export function parseNumber(text: string): number | null {
  const ascii = text.trim().replaceAll(MINUS, '-');
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(ascii) && Number.isFinite(Number(ascii)) ? Number(ascii) : null;
}

/** A power of ten, for axes: `1e−4`; plain from 0.01 to 100. */
export function formatPowerOfTen(exponent: number): string {
  if (exponent >= -2 && exponent <= 2) return String(10 ** exponent);
  return `1e${exponent < 0 ? MINUS : ''}${Math.abs(exponent)}`;
}

/** A fraction from 0 to 1. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (Number.isNaN(percent)) return 'NaN';
  const text =
    percent === 0 || percent === 100 || percent >= 10
      ? percent.toFixed(percent % 1 === 0 ? 0 : 1)
      : percent.toPrecision(2);
  return `${text}${NARROW_SPACE}%`;
}

/** `64 × 2`; a scalar is `1`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? '1' : shape.join(' × ');
}

/** `8.0 KB`; units of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['KB', 'MB', 'GB'];
  if (bytes < 1024) return `${bytes}${NARROW_SPACE}bytes`;
  const unit = Math.min(units.length, Math.floor(Math.log2(bytes) / 10)) - 1;
  const value = bytes / 1024 ** (unit + 1);
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)}${NARROW_SPACE}${units[unit]}`;
}

/** The shortest decimal that rounds to the same float32, for editable fields. */
export function formatShortestFloat32(value: number): string {
  for (let digits = 1; digits < 17; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return String(short);
  }
  return String(value);
}
