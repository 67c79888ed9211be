// Detects a gradient of which only the first digits are right.
import type { GradientComparison } from './gradient-comparison';

/** The most digits, and the most bits (as in a 16-bit number), that count as a loss of precision. */
const [DIGITS, BITS] = [4, 11];
/** The share of entries that must equal the rounded right value; entries next to a tie may not. */
const MIN_ROUNDED_SHARE = 0.9;

export function detectRounding({ analytic, numeric }: GradientComparison): string | null {
  const known = [...analytic.keys()].filter((i) => Number.isFinite(numeric[i]) && numeric[i] !== 0);
  if (known.length < 2) return null;
  const isRoundedBy = (round: (value: number) => number): boolean =>
    analytic.every((value) => round(value) === value) &&
    known.filter((i) => round(numeric[i]!) === analytic[i]).length >= MIN_ROUNDED_SHARE * known.length;
  for (let digits = 1; digits <= DIGITS; digits++)
    if (isRoundedBy((value) => Number(value.toPrecision(digits)))) return `${digits} digits`;
  for (let bits = 2; bits <= BITS; bits++) if (isRoundedBy((value) => roundToBits(value, bits))) return `${bits} bits`;
  return null;
}

function roundToBits(value: number, bits: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) + 1 - bits);
  return Math.round(value / unit) * unit;
}
