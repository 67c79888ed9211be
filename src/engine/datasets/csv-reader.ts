// Reads CSV text (RFC 4180) chunk by chunk into rows of cells. Also accepts cells separated by spaces, comment lines,
// and a first line "sep=;" as Excel writes it. Written here because no package runs without Node and DOM and names the
// row of an unbalanced quote. Takes time linear in the length of the text.
import { formatInteger } from '../format-count';

/** A space stands for any run of spaces and tabs. */
export const DELIMITERS = [',', ';', '\t', '|', ' '] as const;
export type Delimiter = (typeof DELIMITERS)[number];

export interface CsvRow {
  /** Line of the file on which the row starts, from 1. */
  readonly line: number;
  /** With selected columns, all other cells may be empty. The array is reused for the next row. */
  readonly cells: readonly string[];
}

export interface CsvReaderOptions {
  /** Detected from the first line by default. */
  readonly delimiter?: string | undefined;
  /** Lines that start with it are skipped. */
  readonly comment?: string | undefined;
}

/** A misplaced or unclosed quote, or a row that is too long. */
export class CsvSyntaxError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly remedy = 'Close every quoted cell with ", and write "" for a quote inside one.',
  ) {
    super(message);
    this.name = 'CsvSyntaxError';
  }
}

/** Characters. A longer row has an unclosed quote, or the file is not a table. */
const MAX_ROW_LENGTH = 2 ** 24;
/** Cells in a row; far more than any table has columns. */
export const MAX_COLUMNS = 2 ** 20;
/** Characters of the first line from which the delimiter is detected. */
const DETECTION_LENGTH = 2 ** 20;
/** Characters of `sep=;` and the longest line end. */
const SEPARATOR_LINE_LENGTH = 7;

/**
 * The delimiter that occurs most often outside quotes in the first line; by default, a comma. Commas between digits
 * are decimal commas if the line has another delimiter: `1,5;2,5;3,5`.
 */
export function detectDelimiter(text: string): Delimiter {
  let line = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) break;
    else if (!quoted) line += character;
  }
  const hasOther = /[;\t|]/.test(line);
  const counted = hasOther ? line.replace(/(?<=\d),(?=\d)/g, '') : line;
  const count = (delimiter: Delimiter): number => counted.split(delimiter).length;
  // Spaces are only reported, never assumed, because names and texts contain them too.
  return DELIMITERS.filter((delimiter) => delimiter !== ' ').reduce<Delimiter>(
    (best, next) => (count(next) > count(best) ? next : best),
    ',',
  );
}

const orInfinity = (index: number): number => (index < 0 ? Infinity : index);

const NEVER_ENDS = 'a quoted cell is not closed';
const TOO_LONG_REMEDY = 'Check that each sample is in its own row, and that the "delimiter" is right.';

const tooManyCells = (line: number): CsvSyntaxError =>
  new CsvSyntaxError(`the row has more than ${formatInteger(MAX_COLUMNS)} cells`, line, TOO_LONG_REMEDY);

export class CsvReader {
  #delimiter: string | undefined;
  readonly #comment: string | undefined;
  /** Text that is not part of a row yet. */
  #text = '';
  /** Chunks after `#text`, kept until they double it: rescanning an open row for every chunk takes quadratic time. */
  #waiting: string[] = [];
  #waitingLength = 0;
  #rescanAt = 0;
  /** Number of characters before `#text`. */
  #before = 0;
  #position = 0;
  #line = 1;
  #started = false;
  #hasSeparatorLine = false;
  /** Position of the next quote in the text; past its end if there is none. */
  #nextQuote = 0;
  /** Position of the next carriage return, likewise. */
  #nextCarriageReturn = 0;
  /** Whether no line feed follows in the text. */
  #hasNoMoreLineFeeds = false;
  /** The columns whose cells are read, in ascending order; null for all. */
  #selectedColumns: readonly number[] | null = null;
  /**
   * One row object that is reused with selected columns: a file may have many millions of rows, and allocating each
   * would burden garbage collection.
   */
  readonly #reusedRow = { line: 0, cells: [] as string[] };

  constructor({ delimiter, comment }: CsvReaderOptions = {}) {
    this.#delimiter = delimiter;
    this.#comment = comment;
  }

  /** Undefined until the first line is read. */
  get delimiter(): string | undefined {
    return this.#delimiter;
  }

  /** Number of characters that complete rows have used. */
  get consumed(): number {
    return this.#before + this.#position;
  }

  /** From the next row on, reads only the cells of these columns. */
  selectColumns(columns: readonly number[]): void {
    this.#selectedColumns = [...new Set(columns)].sort((a, b) => a - b);
  }

  /**
   * The rows that end in this chunk, or whose end it confirms. Empty lines are skipped but counted.
   * @param isLast whether no chunk follows
   * @throws CsvSyntaxError
   */
  *rows(chunk: string, isLast: boolean): Generator<CsvRow, void> {
    this.#waiting.push(chunk);
    this.#waitingLength += chunk.length;
    if (!isLast && this.#waitingLength < this.#rescanAt) return;
    this.#before += this.#position;
    this.#text = this.#text.slice(this.#position) + this.#waiting.join('');
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#position = 0;
    yield* this.#completeRows(isLast);
    const open = this.#text.length - this.#position;
    if (open > MAX_ROW_LENGTH) throw this.#tooLong();
    this.#rescanAt = isLast ? 0 : open;
  }

  *#completeRows(isLast: boolean): Generator<CsvRow, void> {
    this.#nextQuote = -1;
    this.#nextCarriageReturn = -1;
    this.#hasNoMoreLineFeeds = false;
    if (!this.#startText(isLast)) return;
    if (this.#delimiter === undefined) {
      if (!isLast && !this.#hasFirstLine()) return;
      this.#delimiter = detectDelimiter(this.#text.slice(this.#position, this.#position + DETECTION_LENGTH));
    }
    const delimiter = this.#delimiter;
    this.#findQuote();
    while (this.#position < this.#text.length) {
      if (this.#isComment()) {
        if (!this.#skipLine(isLast)) return;
        this.#findQuote();
        continue;
      }
      const row =
        delimiter === ' '
          ? this.#spacedRow(isLast)
          : (this.#unquotedRow(delimiter) ?? this.#parseRow(delimiter, isLast));
      if (!row) return;
      const { cells } = row;
      if (cells.length > MAX_COLUMNS) throw tooManyCells(row.line);
      if (cells.length > 1 || cells[0]!.trim() !== '') yield row;
    }
  }

  /** Skips a byte order mark, comments, blank lines and the line `sep=;`. Returns false if it needs more text. */
  #startText(isLast: boolean): boolean {
    if (this.#started) return true;
    if (this.consumed === 0 && this.#text.charCodeAt(0) === 0xfeff) this.#position = 1;
    if (!this.#skipToFirstLine(isLast)) return false;
    if (!isLast && this.#text.length - this.#position < SEPARATOR_LINE_LENGTH) return false;
    const head = this.#text.slice(this.#position, this.#position + SEPARATOR_LINE_LENGTH);
    const separator = /^sep=([^\w"\r\n])(\r\n|\r|\n|$)/i.exec(head);
    if (separator && !this.#hasSeparatorLine) {
      this.#hasSeparatorLine = true;
      this.#delimiter ??= separator[1];
      this.#position += separator[0].length;
      this.#line++;
      if (!this.#skipToFirstLine(isLast)) return false;
    }
    this.#started = true;
    return true;
  }

  /** Skips comments and blank lines. Returns false if it needs more text to decide. */
  #skipToFirstLine(isLast: boolean): boolean {
    while (this.#isComment() || this.#isBlankLine()) if (!this.#skipLine(isLast)) return false;
    // Spaces so far may become a blank line or a first cell.
    return isLast || /[^ ]/.test(this.#text.slice(this.#position, this.#position + DETECTION_LENGTH));
  }

  /** A line of tabs is a row of empty cells. */
  #isBlankLine(): boolean {
    let at = this.#position;
    while (this.#text[at] === ' ') at++;
    return this.#text[at] === '\n' || this.#text[at] === '\r';
  }

  /** Whether a line ends outside quotes, or the text is as long as delimiter detection needs. */
  #hasFirstLine(): boolean {
    if (this.#text.length - this.#position >= DETECTION_LENGTH) return true;
    return /[\r\n]/.test(this.#text.slice(this.#position).replace(/"[^"]*("|$)/g, ''));
  }

  #isComment(): boolean {
    return (
      this.#comment !== undefined && this.#text.startsWith(this.#comment, this.#position) && this.#comment.length > 0
    );
  }

  /** The end of the current line and the start of the next; undefined if the text does not contain them yet. */
  #lineEnd(isLast: boolean): { readonly end: number; readonly next: number } | undefined {
    const text = this.#text;
    const feed = orInfinity(this.#hasNoMoreLineFeeds ? -1 : text.indexOf('\n', this.#position));
    this.#hasNoMoreLineFeeds ||= feed === Infinity;
    const line = text.slice(this.#position, Math.min(feed, text.length));
    const carriage = orInfinity(line.indexOf('\r')) + this.#position;
    const end = Math.min(feed, carriage);
    if (end === Infinity) return isLast ? { end: text.length, next: text.length } : undefined;
    // A line feed may follow in the next chunk.
    if (end === carriage && end + 1 === text.length && !isLast) return undefined;
    return { end, next: end + (end === carriage && feed === end + 1 ? 2 : 1) };
  }

  #skipLine(isLast: boolean): boolean {
    const line = this.#lineEnd(isLast);
    if (!line) return false;
    this.#position = line.next;
    this.#line++;
    return true;
  }

  /** A row whose cells are separated by runs of spaces and tabs. A quoted cell ends on its line. */
  #spacedRow(isLast: boolean): CsvRow | undefined {
    const line = this.#lineEnd(isLast);
    if (!line) return undefined;
    const text = this.#text.slice(this.#position, line.end).trim();
    this.#position = line.next;
    const number = this.#line++;
    if (!text.includes('"')) return { line: number, cells: text.split(/[ \t]+/, MAX_COLUMNS + 1) };
    const cells: string[] = [];
    for (const [cell] of text.matchAll(/"(?:[^"]|"")*"?|[^ \t"][^ \t]*/g)) {
      if (cell.startsWith('"') && !/^"(?:[^"]|"")*"$/.test(cell)) throw new CsvSyntaxError(NEVER_ENDS, number);
      cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    }
    return { line: number, cells };
  }

  #tooLong(): CsvSyntaxError {
    const from = this.#position;
    const isQuoted = this.#text.slice(from).split('"').length % 2 === 0;
    return isQuoted
      ? new CsvSyntaxError(NEVER_ENDS, this.#line)
      : new CsvSyntaxError(
          `the row is longer than ${formatInteger(MAX_ROW_LENGTH)} characters`,
          this.#line,
          TOO_LONG_REMEDY,
        );
  }

  #findQuote(): void {
    if (this.#nextQuote >= this.#position) return;
    this.#nextQuote = orInfinity(this.#text.indexOf('"', this.#position));
  }

  /** A row without quotes that ends in a line feed, as most do. */
  #unquotedRow(delimiter: string): CsvRow | undefined {
    const end = this.#hasNoMoreLineFeeds ? -1 : this.#text.indexOf('\n', this.#position);
    this.#hasNoMoreLineFeeds ||= end < 0;
    if (end < 0 || end > this.#nextQuote) return undefined;
    if (this.#selectedColumns) return this.#selectedCells(delimiter, end, this.#selectedColumns);
    const returned = this.#text.charCodeAt(end - 1) === 13 && end > this.#position;
    const row = this.#text.slice(this.#position, returned ? end - 1 : end);
    if (row.includes('\r')) return undefined;
    this.#position = end + 1;
    return { line: this.#line++, cells: row.split(delimiter, MAX_COLUMNS + 1) };
  }

  /** Selected cells of a row without quotes that ends in a line feed at `end`. */
  #selectedCells(delimiter: string, end: number, only: readonly number[]): CsvRow | undefined {
    const text = this.#text;
    let to = end;
    if (this.#nextCarriageReturn < this.#position)
      this.#nextCarriageReturn = orInfinity(text.indexOf('\r', this.#position));
    if (this.#nextCarriageReturn === end - 1) to = end - 1;
    else if (this.#nextCarriageReturn < end) return undefined;
    const { cells } = this.#reusedRow;
    let column = 0;
    let wanted = 0;
    for (let at = this.#position; ; column++) {
      const found = text.indexOf(delimiter, at);
      const stop = found < 0 || found > to ? to : found;
      // A row with another number of cells is an error, reported by the caller from the cell count.
      if (column === only[wanted]) {
        cells[column] = text.slice(at, stop);
        wanted++;
      } else if (column >= cells.length) cells[column] = '';
      if (stop === to) break;
      at = stop + 1;
    }
    cells.length = column + 1;
    this.#reusedRow.line = this.#line++;
    // An empty line has one cell, which the caller inspects.
    if (column === 0) cells[0] = text.slice(this.#position, to);
    this.#position = end + 1;
    return this.#reusedRow;
  }

  /** Any row; undefined if its end is not in the text yet. */
  #parseRow(delimiter: string, last: boolean): CsvRow | undefined {
    const text = this.#text;
    let at = this.#position;
    let line = this.#line;
    const start = line;
    const delimiterCode = delimiter.charCodeAt(0);
    const cells: string[] = [];
    for (let ended = false; !ended;) {
      let cell = '';
      if (text[at] === '"') {
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0 || (close + 1 === text.length && !last)) {
            if (!last) return undefined;
            throw new CsvSyntaxError(NEVER_ENDS, start);
          }
          cell += text.slice(at + 1, close);
          at = close + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
        line += cell.split(/\r\n|\r|\n/).length - 1;
        if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') {
          const what = `"${text[at]}" follows the closing quote of a cell`;
          if (text[at - 2] === '\\')
            throw new CsvSyntaxError(what, line, 'Write "" for a quote inside a cell, not \\".');
          throw new CsvSyntaxError(what, line);
        }
      } else {
        const from = at;
        for (; at < text.length; at++) {
          const code = text.charCodeAt(at);
          if (code === delimiterCode || code === 10 || code === 13) break;
        }
        cell = text.slice(from, at);
      }
      cells.push(cell);
      if (cells.length > MAX_COLUMNS) throw tooManyCells(start);
      if (text[at] === delimiter) at++;
      else ended = true;
    }
    // A line feed may follow in the next chunk.
    if (!last && at + 1 >= text.length && text[at] !== '\n') return undefined;
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    this.#position = at + 1;
    this.#line = line + 1;
    this.#findQuote();
    return { line: start, cells };
  }
}

/** All rows of a text. */
export function readCsv(text: string, delimiter?: string): CsvRow[] {
  return [...new CsvReader({ ...(delimiter !== undefined && { delimiter }) }).rows(text, true)];
}
