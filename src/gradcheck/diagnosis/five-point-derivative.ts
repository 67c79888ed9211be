// A derivative by central differences at two steps. If they disagree, there is a kink or no derivative.
import type { ForwardPrecision } from '../forward-precision';

export interface DifferenceRule {
  readonly step: number;
  /** The derivatives at the two steps may differ by this share. */
  readonly agreement: number;
  /** Round-off of the difference of two values, in units of the larger. */
  readonly roundOffUnit: number;
  /** Differences from backprop above this share of the largest derivative are wrong. */
  readonly tolerance: number;
}

/** By the precision of the function: the step is about the cube root of its round-off. */
export const DIFFERENCE_RULES: Readonly<Record<ForwardPrecision, DifferenceRule>> = {
  double: { step: 6e-6, agreement: 1e-5, roundOffUnit: 8e-16, tolerance: 1e-4 },
  single: { step: 8e-3, agreement: 1e-3, roundOffUnit: 2e-7, tolerance: 1e-2 },
};

/** One-sided derivatives that differ by this share indicate a kink, */
const KINK_THRESHOLD = 1e-2;
/** if the shorter step keeps this share of their difference: at a kink all of it remains, on a curve a quarter. */
const JUMP_PERSISTENCE = 0.5;
/** The second step as a share of the first. */
export const SHORT_STEP_RATIO = 0.25;

/** A function's values at a point, and at a step and a quarter step to each side. */
export interface FivePointStencil {
  readonly low: number;
  readonly innerLow: number;
  readonly center: number;
  readonly innerHigh: number;
  readonly high: number;
}

/**
 * NaN at a kink.
 * @param largest the largest derivative that this one is summed with; negligible differences are ignored
 */
export function derivativeFromStencil(
  { low, innerLow, center, innerHigh, high }: FivePointStencil,
  { step, agreement, roundOffUnit }: DifferenceRule,
  largest = 0,
): number {
  const noise = roundOffUnit * Math.max(Math.abs(center), Math.abs(low), Math.abs(high));
  const derivative = (high - low) / (2 * step);
  const innerDerivative = (innerHigh - innerLow) / (2 * SHORT_STEP_RATIO * step);
  const tolerance =
    agreement * Math.max(Math.abs(derivative), Math.abs(innerDerivative), largest) + noise / (SHORT_STEP_RATIO * step);
  const right = (high - center) / step;
  const left = (center - low) / step;
  const jump = Math.abs(right - left);
  const innerJump = Math.abs(innerHigh - 2 * center + innerLow) / (SHORT_STEP_RATIO * step);
  if (
    jump > KINK_THRESHOLD * Math.max(Math.abs(right), Math.abs(left)) + tolerance &&
    innerJump > JUMP_PERSISTENCE * jump
  )
    return NaN;
  return Math.abs(derivative - innerDerivative) <= tolerance ? derivative : NaN;
}

/** The round-off error in a derivative of values up to this one. */
export const roundOffError = (largest: number, { roundOffUnit, step }: DifferenceRule): number =>
  (roundOffUnit * largest) / step;
