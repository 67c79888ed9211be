// The search that answers "When did this start?" for a value: docs/expressions.md describes the language.

/** Digits of a limit: enough to say what the value was about. */
const DIGITS = 3;

/** For an entry of a tensor: the last step at which its sign changed, or at which it became NaN. */
export const sinceEntryQuery = (expression: string): string =>
  `last changes_sign(${expression}) or becomes_nan(${expression})`;

/**
 * For a point of a curve: the last step at which the value was not yet about what it is there, but less than half
 * of it or more than twice; for 0, another value.
 */
export function sinceLevelQuery(expression: string, value: number): string {
  if (Number.isNaN(value)) return `last becomes_nan(${expression})`;
  if (!Number.isFinite(value)) return `last isfinite(${expression})`;
  if (value === 0) return `last ${expression} != 0`;
  const [low, high] = [value / 2, value * 2].sort((a, b) => a - b).map((limit) => Number(limit.toPrecision(DIGITS)));
  return `last ${expression} < ${low} or ${expression} > ${high}`;
}
