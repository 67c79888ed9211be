// One slope by differences at two steps: where they do not agree there is a kink, or none can be had.

/** Share by which the slopes at the two steps may differ. */
const AGREE = 1e-5;
/** Slopes to the two sides that differ by this share are those of a kink, */
const KINK = 1e-2;
/** if the shorter step has this share of their difference, too: at a kink it has all of it, of a curve a quarter. */
const KEPT = 0.5;
/** Round-off of a difference of two values, in units of the larger. */
const ROUND_OFF = 8e-16;
/** The second step, as a share of the first. */
export const SHORTER = 0.25;

/** What a function is at a point, and a step to its two sides and a quarter of that. */
export interface Five {
  readonly low: number;
  readonly lower: number;
  readonly here: number;
  readonly higher: number;
  readonly high: number;
}

/**
 * NaN at a kink.
 * @param largest slope that this one is added to: what is nothing beside it is no reason to doubt.
 */
export function slopeOf({ low, lower, here, higher, high }: Five, step: number, largest = 0): number {
  const noise = ROUND_OFF * Math.max(Math.abs(here), Math.abs(low), Math.abs(high));
  const [slope, shorter] = [(high - low) / (2 * step), (higher - lower) / (2 * SHORTER * step)];
  const slack = AGREE * Math.max(Math.abs(slope), Math.abs(shorter), largest) + noise / (SHORTER * step);
  const [right, left] = [(high - here) / step, (here - low) / step];
  const jump = Math.abs(right - left);
  const kept = Math.abs(higher - 2 * here + lower) / (SHORTER * step);
  if (jump > KINK * Math.max(Math.abs(right), Math.abs(left)) + slack && kept > KEPT * jump) return NaN;
  return Math.abs(slope - shorter) <= slack ? slope : NaN;
}

/** The error that round-off leaves in a slope of values up to this one. */
export const roundOffIn = (largest: number, step: number): number => (ROUND_OFF * largest) / step;
