// Reads CSV text as RFC 4180 describes it, piece by piece, into rows of cells. An own reader and no package: it runs
// where neither Node's types nor the DOM's are to be had, and names the row where a quote goes astray.

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

export interface CsvRow {
  /** Line of the file on which the row starts, counted from 1. */
  readonly line: number;
  /** Of a reader that was told which ones: all others may be empty, and all are gone with the next row. */
  readonly cells: readonly string[];
}

/** A quote that does not belong, or never ends. */
export class CsvSyntaxError extends Error {
  constructor(message: string, readonly line: number) {
    super(message);
    this.name = 'CsvSyntaxError';
  }
}

/** Characters. A row longer than this has a quote that never ends, or is none. */
const LONGEST_ROW = 2 ** 24;

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

const orNever = (index: number): number => (index < 0 ? Infinity : index);

export class CsvReader {
  #delimiter: string | undefined;
  /** What no row was made of yet. */
  #text = '';
  #at = 0;
  #line = 1;
  #begun = false;
  /** The next quote in the text; beyond its end where there is none. */
  #quote = 0;
  /** The next carriage return, likewise. */
  #return = 0;
  /** No line feed follows in the text. */
  #feedless = false;
  /** The columns whose cells are read, rising; null for all of them. */
  #only: readonly number[] | null = null;
  /** What rows of chosen columns share: a file may have many millions, and what is made for each must be thrown away again. */
  readonly #shared = { line: 0, cells: [] as string[] };

  /** @param delimiter the one that the first line uses most, unless given */
  constructor(delimiter?: string) {
    this.#delimiter = delimiter;
  }

  /** From the next piece on only the cells of these columns are needed. */
  only(columns: readonly number[]): void {
    this.#only = [...new Set(columns)].sort((a, b) => a - b);
  }

  /**
   * The rows that end in this piece of the text; empty lines are left out but counted.
   * @param last whether no piece follows
   * @throws CsvSyntaxError
   */
  *rows(piece: string, last: boolean): Generator<CsvRow, void> {
    this.#text = this.#text.slice(this.#at) + piece;
    this.#at = 0;
    if (!this.#begun && this.#text.length > 0) {
      this.#begun = true;
      if (this.#text.charCodeAt(0) === 0xfeff) this.#text = this.#text.slice(1);
    }
    this.#delimiter ??= this.#detect(last);
    if (this.#delimiter === undefined) return;
    this.#findQuote();
    this.#return = -1;
    this.#feedless = false;
    while (this.#at < this.#text.length) {
      const row = this.#plainRow(this.#delimiter) ?? this.#anyRow(this.#delimiter, last);
      if (!row) {
        if (this.#text.length - this.#at > LONGEST_ROW) throw new CsvSyntaxError('the row does not end', this.#line);
        return;
      }
      const { cells } = row;
      if (cells.length > 1 || cells[0].trim() !== '') yield row;
    }
  }

  /** Once the first line is whole. */
  #detect(last: boolean): Delimiter | undefined {
    return last || this.#text.length > LONGEST_ROW || /[\r\n]/.test(this.#text.replace(/"[^"]*("|$)/g, ''))
      ? detectDelimiter(this.#text)
      : undefined;
  }

  #findQuote(): void {
    const found = this.#text.indexOf('"', this.#at);
    this.#quote = orNever(found);
  }

  /** A row without quotes, which ends in a line feed: most are. */
  #plainRow(delimiter: string): CsvRow | undefined {
    const end = this.#feedless ? -1 : this.#text.indexOf('\n', this.#at);
    this.#feedless ||= end < 0;
    if (end < 0 || end > this.#quote) return undefined;
    if (this.#only) return this.#chosenCells(delimiter, end, this.#only);
    const returned = this.#text.charCodeAt(end - 1) === 13 && end > this.#at;
    const row = this.#text.slice(this.#at, returned ? end - 1 : end);
    if (row.includes('\r')) return undefined;
    this.#at = end + 1;
    return { line: this.#line++, cells: row.split(delimiter) };
  }

  /** A row without quotes that ends in a line feed at `end`, of which some cells are needed. */
  #chosenCells(delimiter: string, end: number, only: readonly number[]): CsvRow | undefined {
    const text = this.#text;
    let to = end;
    if (this.#return < this.#at) this.#return = orNever(text.indexOf('\r', this.#at));
    if (this.#return === end - 1) to = end - 1;
    else if (this.#return < end) return undefined;
    const { cells } = this.#shared;
    let column = 0;
    let wanted = 0;
    for (let at = this.#at; ; column++) {
      const found = text.indexOf(delimiter, at);
      const stop = found < 0 || found > to ? to : found;
      // Rows with another number of cells are complained about, which takes the place of what is left out here.
      if (column === only[wanted]) {
        cells[column] = text.slice(at, stop);
        wanted++;
      } else if (column >= cells.length) cells[column] = '';
      if (stop === to) break;
      at = stop + 1;
    }
    cells.length = column + 1;
    this.#shared.line = this.#line++;
    // An empty line has one cell, which is looked at.
    if (column === 0) cells[0] = text.slice(this.#at, to);
    this.#at = end + 1;
    return this.#shared;
  }

  /** Any row; undefined where its end is not in the text yet. */
  #anyRow(delimiter: string, last: boolean): CsvRow | undefined {
    const text = this.#text;
    let at = this.#at;
    let line = this.#line;
    const start = line;
    const cells: string[] = [];
    for (let ended = false; !ended; ) {
      let cell = '';
      if (text[at] === '"') {
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0 || (close + 1 === text.length && !last)) {
            if (!last) return undefined;
            throw new CsvSyntaxError('a quoted cell never ends', start);
          }
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
    // A line feed may follow in the next piece.
    if (!last && at + 1 >= text.length && text[at] !== '\n') return undefined;
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    this.#at = at + 1;
    this.#line = line + 1;
    this.#findQuote();
    return { line: start, cells };
  }
}

/** All rows of a text. */
export function readCsv(text: string, delimiter?: string): CsvRow[] {
  return [...new CsvReader(delimiter).rows(text, true)];
}
