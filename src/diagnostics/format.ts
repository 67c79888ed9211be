/** Formats a number with this many significant digits, without trailing zeros. */
export const formatRounded = (value: number, digits: number): string => String(Number(value.toPrecision(digits)));

/** "95 %". */
export const formatPercent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
