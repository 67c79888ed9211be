// A file's name made of any text: what a file system forbids, what turns or hides text, and what is too long is left out.

const LONGEST = 80;

/** `Loss over steps`, `csv` → `Loss over steps.csv`. @returns one name, never a path; `nablascope` where nothing is left */
export function fileNameOf(text: string, ending: string): string {
  const plain = text
    .normalize('NFC')
    // Not a letter, mark, number, or one of a few signs: also control characters, bidi marks, and separators.
    .replace(/[^\p{L}\p{M}\p{N} _.,()-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const short = [...plain].slice(0, LONGEST).join('').replace(/^[. ]+|[. ]+$/g, '');
  return `${short || 'nablascope'}.${ending}`;
}
