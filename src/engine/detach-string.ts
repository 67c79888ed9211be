/** A copy. A substring would keep the whole text in memory. */
export const detachString = (text: string): string => text.split('').join('');
