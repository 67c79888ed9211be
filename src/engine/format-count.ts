// Counts in sentences.

/** `12,345`, as `toLocaleString('en-US')` writes it, whose first call takes more than 10 ms to load the locale. */
export const formatInteger = (value: number): string =>
  Number.isSafeInteger(value) ? String(value).replace(/\B(?=(?:\d{3})+$)/g, ',') : value.toLocaleString('en-US');

/** `1 entry`, `2 entries`. */
export const pluralize = (count: number, singular: string, plural = `${singular}s`): string =>
  `${formatInteger(count)} ${count === 1 ? singular : plural}`;

/** `is` for one, `are` for any other count. */
export const isOrAre = (count: number): 'is' | 'are' => (count === 1 ? 'is' : 'are');
