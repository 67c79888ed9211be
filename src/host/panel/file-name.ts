// Converts any text to a file name, without characters that file systems forbid, that are invisible or bidirectional,
// and no longer than allowed.

const MAX_LENGTH = 80;

/**
 * `Loss over steps`, `csv` → `Loss over steps.csv`.
 * @returns one name, never a path; `nablascope` if nothing remains
 */
export function toFileName(text: string, extension: string): string {
  const sanitized = text
    .normalize('NFC')
    // Anything but letters, marks, numbers and a few signs; this includes control characters, bidi marks, and
    // separators.
    .replace(/[^\p{L}\p{M}\p{N} _.,()-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const truncated = Array.from(sanitized)
    .slice(0, MAX_LENGTH)
    .join('')
    .replace(/^[. ]+|[. ]+$/g, '');
  return `${truncated || 'nablascope'}.${extension}`;
}
