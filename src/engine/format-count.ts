// Counts in sentences.

/** `12,345`. */
export const formatInteger = (value: number): string => value.toLocaleString('en-US');

/** `1 entry`, `2 entries`. */
export const pluralize = (count: number, singular: string, plural = `${singular}s`): string =>
  `${formatInteger(count)} ${count === 1 ? singular : plural}`;

/** `is` for one, `are` for any other count. */
export const isOrAre = (count: number): 'is' | 'are' => (count === 1 ? 'is' : 'are');
