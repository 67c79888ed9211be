// A table as it is taken away: tab-separated for the clipboard, CSV for a file. Numbers keep every digit.
import { fullNumber } from './numbers';

export interface Sheet {
  readonly heads: readonly string[];
  /** Null and undefined where there is no value. */
  readonly rows: readonly (readonly (string | number | null | undefined)[])[];
}

const lines = ({ heads, rows }: Sheet): Sheet['rows'] => (heads.length > 0 ? [heads, ...rows] : rows);

/** Tab-separated; a tab or a new line in a name would tear its row apart. */
export function asTabs(sheet: Sheet): string {
  const cell = (of: string | number | null | undefined): string => (typeof of === 'number' ? fullNumber(of) : (of ?? '').replace(/[\t\r\n]+/g, ' '));
  return lines(sheet).map((row) => row.map(cell).join('\t')).join('\n');
}

/**
 * After RFC 4180, with the mark by which spreadsheets know UTF-8. A name that a spreadsheet would take for a formula
 * begins with an apostrophe, as OWASP advises; numbers stay as they are.
 */
export function asCsv(sheet: Sheet): string {
  const cell = (of: string | number | null | undefined): string => {
    if (typeof of === 'number') return fullNumber(of);
    const text = (of ?? '').replace(/^(?=\s*[=+\-@＝＋－＠]|[\t\r\n])/, "'");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `\uFEFF${lines(sheet).map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`;
}
