// A gradient that is right in its first digits only.
import type { Trial } from './trial';

/** Most digits that are a loss worth telling; and most bits, as of a 16-bit number. */
const [DIGITS, BITS] = [4, 11];
/** Share of entries that must be what rounding makes of the right number: those next to a tie may not. */
const MOST = 0.9;

export function digitsKept({ analytic, numeric }: Trial): string | null {
  const known = [...analytic.keys()].filter((i) => Number.isFinite(numeric[i]) && numeric[i] !== 0);
  if (known.length < 2) return null;
  const rounds = (to: (value: number) => number): boolean =>
    analytic.every((value) => to(value) === value) && known.filter((i) => to(numeric[i]) === analytic[i]).length >= MOST * known.length;
  for (let digits = 1; digits <= DIGITS; digits++) if (rounds((value) => Number(value.toPrecision(digits)))) return `${digits} digits`;
  for (let bits = 2; bits <= BITS; bits++) if (rounds((value) => toBits(value, bits))) return `${bits} bits`;
  return null;
}

function toBits(value: number, bits: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) + 1 - bits);
  return Math.round(value / unit) * unit;
}
