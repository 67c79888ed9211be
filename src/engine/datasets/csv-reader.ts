// Reads CSV text as RFC 4180 describes it, into rows of cells. An own reader and no package: it runs where
// neither Node's types nor the DOM's are to be had, and names the row where a quote goes astray.

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

export interface CsvRow {
  /** Line of the file on which the row starts, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A quote that does not belong, or never ends. */
export class CsvSyntaxError extends Error {
  constructor(message: string, readonly line: number) {
    super(message);
    this.name = 'CsvSyntaxError';
  }
}

/** The delimiter that the first line uses most, outside quotes; a comma where it uses none. */
export function detectDelimiter(text: string): Delimiter {
  const counts = new Map<string, number>();
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) break;
    else if (!quoted) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  return DELIMITERS.reduce((best, next) => ((counts.get(next) ?? 0) > (counts.get(best) ?? 0) ? next : best));
}

/**
 * Rows and their cells; empty lines are left out but counted.
 * @throws CsvSyntaxError
 */
export function readCsv(text: string, delimiter: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const cells: string[] = [];
    for (let ended = false; !ended; ) {
      let cell = '';
      if (text[at] === '"') {
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0) throw new CsvSyntaxError('a quoted cell never ends', start);
          cell += text.slice(at + 1, close);
          at = close + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
        line += cell.split(/\r\n|\r|\n/).length - 1;
        if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') {
          throw new CsvSyntaxError(`"${text[at]}" follows the closing quote of a cell`, line);
        }
      } else {
        const from = at;
        while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
        cell = text.slice(from, at);
      }
      cells.push(cell);
      if (text[at] === delimiter) at++;
      else ended = true;
    }
    if (cells.length > 1 || cells[0].trim() !== '') rows.push({ line: start, cells });
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    line++;
  }
  return rows;
}
