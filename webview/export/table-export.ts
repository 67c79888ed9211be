// Exports a table: tab-separated for the clipboard, CSV for a file. Numbers keep every digit.
import { formatExact } from '../../src/presentation/numbers';

export interface TableExport {
  readonly headers: readonly string[];
  /** Null and undefined mean no value. */
  readonly rows: readonly (readonly (string | number | null | undefined)[])[];
}

const allRows = ({ headers, rows }: TableExport): TableExport['rows'] =>
  headers.length > 0 ? [headers, ...rows] : rows;

/** Tab-separated. A tab or a line break in a name would break its row. */
export function toTsv(table: TableExport): string {
  const cell = (of: string | number | null | undefined): string =>
    typeof of === 'number' ? formatExact(of) : (of ?? '').replace(/[\t\r\n]+/g, ' ');
  return allRows(table)
    .map((row) => row.map(cell).join('\t'))
    .join('\n');
}

/**
 * As in RFC 4180, with the byte order mark by which spreadsheets recognize UTF-8. A name that a spreadsheet would take
 * for a formula gets an apostrophe in front, as OWASP recommends; numbers stay as they are.
 */
export function toCsv(table: TableExport): string {
  const cell = (of: string | number | null | undefined): string => {
    if (typeof of === 'number') return formatExact(of);
    const text = (of ?? '').replace(/^(?=\s*[=+\-@＝＋－＠]|[\t\r\n])/, "'");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `\uFEFF${allRows(table)
    .map((row) => `${row.map(cell).join(',')}\r\n`)
    .join('')}`;
}
