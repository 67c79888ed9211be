// Counts as they stand in a sentence.

/** `12,345`. */
export const grouped = (value: number): string => value.toLocaleString('en-US');

/** `1 entry`, `2 entries`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;

/** `is` of one, `are` of others. */
export const isOrAre = (count: number): 'is' | 'are' => (count === 1 ? 'is' : 'are');
