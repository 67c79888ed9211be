// The layout of a table in a text file, determined from its first rows: column names, a delimiter at the end of rows, a
// saved index.
import { pluralize } from '../format-count';
import type { CsvRow } from './csv-reader';
import { DataError, type DataNote } from './data-error';
import { ARFF } from './file-kind';

export interface TableOptions {
  readonly path: string;
  /** Whether the options say that the first row names the columns. */
  readonly header: boolean;
  readonly delimiter: string;
  /** Undefined where the delimiter was detected. */
  readonly chosenDelimiter: string | undefined;
  readonly comment: string | undefined;
}

export interface TableLayout {
  /** A name for each column; "column 3" where the file has none. */
  readonly names: readonly string[];
  /** Whether rows end in a delimiter. */
  readonly hasTrailingDelimiter: boolean;
  /** @param inputs indices of the input columns */
  notes(inputs: readonly number[]): readonly DataNote[];
}

const isBlank = (cell: string | undefined): boolean => cell?.trim() === '';

/**
 * @param sample the first rows of the file, at least one
 * @throws DataError if they contradict the options
 */
export function describeTable(
  sample: readonly CsvRow[],
  options: TableOptions,
  parseNumber: (text: string) => number,
): TableLayout {
  const { path, header, delimiter } = options;
  const first = sample[0]!;
  const rows = header ? sample.slice(1) : sample;
  checkDelimiter(sample, options);
  checkComment(sample, options);
  checkTitle(sample, options);
  const { length } = first.cells;
  const endsBlank = (row: CsvRow, cells: number): boolean =>
    row.cells.length === cells && isBlank(row.cells[cells - 1]);
  const longer = header && rows.length > 0 && rows.every((row) => endsBlank(row, length + 1));
  const equal =
    length > 1 &&
    isBlank(first.cells[length - 1]) &&
    (header ? rows.length > 0 : rows.length > 1) &&
    rows.every((row) => endsBlank(row, length));
  const namesOnly =
    header &&
    length > 1 &&
    isBlank(first.cells[length - 1]) &&
    rows.length > 0 &&
    rows.every((row) => row.cells.length === length - 1);
  // A quote after a space protects no delimiter, which makes rows longer too.
  const hasLostQuote = rows.some(({ cells }) => cells.some((cell) => /^\s+"/.test(cell)));
  if (header && !longer && !hasLostQuote && rows.length > 0 && rows.every((row) => row.cells.length === length + 1)) {
    throw new DataError(
      `${path}: row ${first.line} names ${pluralize(length, 'column')}, but each row below has ${length + 1} cells.`,
      `Add a name at the start of row ${first.line} if the rows begin with an index, as R writes them.`,
      ['path'],
      'names-missing',
    );
  }
  const count = equal || namesOnly ? length - 1 : length;
  const names = first.cells
    .slice(0, count)
    .map((cell, i) => (header && cell.trim() !== '' ? cell.trim() : `column ${i + 1}`));
  const hasTrailingDelimiter = longer || equal || namesOnly;

  const isNumber = (cell: string | undefined): boolean =>
    cell !== undefined && Number.isFinite(parseNumber(cell.trim()));
  return {
    names,
    hasTrailingDelimiter,
    notes(inputs) {
      const notes: DataNote[] = [];
      if (header && looksLikeData(first, rows, count, isNumber)) {
        notes.push({
          code: 'header-is-data',
          severity: 'warning',
          message: `Row ${first.line} of ${path} looks like data, but is read as column names.`,
          remedy: 'Write "header": false to use it as a sample.',
          path: ['header'],
        });
      }
      const indexes = header ? savedIndexes(first, rows, parseNumber).filter((i) => inputs.includes(i)) : [];
      if (indexes.length > 0) {
        const numbers = indexes.map((i) => i + 1).join(' and ');
        notes.push({
          code: 'index-column',
          severity: 'warning',
          message:
            indexes.length === 1
              ? `Column ${numbers} of ${path} has no name and counts the rows: a saved index is used as an input.`
              : `Columns ${numbers} of ${path} have no names and count the rows: saved indexes are used as inputs.`,
          remedy: 'List the other columns in "inputs", or save the file with index=False.',
          path: ['inputs'],
        });
      }
      const twice = names.find((name, i) => inputs.includes(i) && names.indexOf(name) < i);
      if (twice !== undefined) {
        notes.push({
          code: 'duplicate-names',
          severity: 'warning',
          message: `${path} has two columns named ${JSON.stringify(twice)}.`,
          remedy: 'Give each column a name of its own, and leave one out if they are the same.',
          path: ['inputs'],
        });
      }
      const coded = inputs.find((i) => isCodeColumn(rows, i));
      if (coded !== undefined) {
        notes.push({
          code: 'leading-zeros',
          severity: 'warning',
          message: `Column ${coded + 1} (${names[coded]}) of ${path} has numbers with leading zeros, as codes have.`,
          remedy: 'Leave the column out of "inputs" if its numbers are codes and no quantities.',
          path: ['inputs'],
        });
      }
      if (hasTrailingDelimiter) {
        notes.push({
          code: 'trailing-delimiter',
          severity: 'information',
          message: `Rows of ${path} end in ${JSON.stringify(delimiter)}; the empty column after it is ignored.`,
          remedy: 'No action is needed.',
          path: ['path'],
        });
      }
      return notes;
    },
  };
}

/** Delimiters that are recognized, but not read. */
const OTHER_DELIMITERS = ['::', '\x01', '\x1f', '~', '^', ':'];

const toCsv = (reader: string): string => `Convert it in Python: pandas.${reader}.to_csv("data.csv", index=False).`;

/** In a file with the wrong delimiter, every row is a single cell. */
function checkDelimiter(sample: readonly CsvRow[], { path, header, delimiter, chosenDelimiter }: TableOptions): void {
  if (!sample.every(({ cells }) => cells.length === 1)) return;
  const texts = sample.map(({ cells }) => cells[0]!.trim());
  const fail = (code: string, what: string, remedy: string): never => {
    throw new DataError(`${path}: ${what}.`, remedy, ['path'], code);
  };
  if (texts.every((text) => text.includes(delimiter))) {
    const what = 'each row is in quotes as a whole, so it is one cell';
    fail('rows-quoted', what, 'Remove the quotes at both ends of each row.');
  }
  if (chosenDelimiter !== undefined) return;
  const other = OTHER_DELIMITERS.find((separator) => {
    const [first, ...counts] = texts.map((text) => text.split(separator).length);
    return first! > 1 && counts.length > 0 && counts.every((count) => count === first);
  });
  if (other !== undefined) {
    const written = /^[ -~]+$/.test(other) ? other : `\\x${other.charCodeAt(0).toString(16).padStart(2, '0')}`;
    fail(
      'other-delimiter',
      `the columns are separated by "${other}", which is not read`,
      toCsv(`read_csv("data.dat", sep="${written}", engine="python"${header ? '' : ', header=None'})`),
    );
  }
  const parts = texts.map((text) => text.split(/[ \t]+/).length);
  // R writes row names without a name of their own.
  const rows = header && parts[1] === parts[0]! + 1 ? parts.slice(1) : parts;
  if (rows[0]! > 1 && rows.every((count) => count === rows[0])) {
    fail(
      'space-delimited',
      'the columns are separated by spaces, not by commas',
      'Add "delimiter": " ", which stands for any run of spaces.',
    );
  }
  // Columns of a fixed width: at least two spaces in most rows, and numbers in them.
  const aligned = texts.filter((text) => /\S {2,}\S/.test(text) && /\d/.test(text)).length;
  if (texts.length > 2 && aligned > texts.length / 2) {
    const what = 'the columns are aligned with spaces, and some cells are empty';
    fail('fixed-width', what, toCsv('read_fwf("data.txt")'));
  }
}

function checkComment(sample: readonly CsvRow[], { path, comment, delimiter }: TableOptions): void {
  if (comment !== undefined) return;
  if (sample.some(({ cells }) => /^@(relation|attribute)\b/i.test(cells[0]!))) {
    const { name, remedy } = ARFF;
    throw new DataError(`${path} is ${name}.`, remedy, ['path'], 'wrong-file-kind');
  }
  const first = sample[0]!;
  // With this delimiter, the mark is an empty cell.
  const isSemicolon = delimiter === ';' && isBlank(first.cells[0]) && /^\s/.test(first.cells[1] ?? '');
  const mark = isSemicolon ? ';' : /^\s*(#|%|\/\/|!)/.exec(first.cells[0]!)?.[1];
  if (mark === undefined) return;
  const next = sample.find(({ cells }) => (isSemicolon ? !isBlank(cells[0]) : !cells[0]!.trimStart().startsWith(mark)));
  if (!next || next.cells.length === first.cells.length) return;
  throw new DataError(
    `${path}: row ${first.line} is a comment, not the first row of the table.`,
    `Add "comment": ${JSON.stringify(mark)}.`,
    ['path'],
    'comment-line',
  );
}

/**
 * Finds lines above a table, such as a title or the source: fewer cells than all rows from a certain one on. The
 * delimiter was detected in the first of them, so it may be wrong.
 */
function checkTitle(sample: readonly CsvRow[], { path, header, chosenDelimiter }: TableOptions): void {
  if (!header) return;
  const counted = (split: (cells: readonly string[]) => number): number => {
    const counts = sample.map(({ cells }) => split(cells));
    const last = counts[counts.length - 1]!;
    const start = counts.findLastIndex((count) => count !== last) + 1;
    // The names and two rows at least.
    return counts.length - start >= 3 && counts.slice(0, start).every((count) => count < last) ? start : 0;
  };
  // One more cell than names is an index without a name, or a delimiter at the end of rows.
  const isIndex = (start: number): boolean =>
    start === 1 && sample[0]!.cells.length > 1 && sample[1]!.cells.length === sample[0]!.cells.length + 1;
  const asRead = counted((cells) => cells.length);
  const isOneCell = sample.every(({ cells }) => cells.length === 1);
  const start =
    asRead > 0 || chosenDelimiter !== undefined || !isOneCell
      ? asRead
      : ([';', '\t', '|'].map((mark) => counted(([cell]) => cell!.split(mark).length)).find((at) => at > 0) ?? 0);
  if (start === 0 || isIndex(start)) return;
  const [from, to, next] = [sample[0]!.line, sample[start - 1]!.line, sample[start]!.line];
  throw new DataError(
    `${path}: the table seems to start in row ${next}, below text of another form.`,
    `Remove ${from === to ? `row ${from}` : `rows ${from} to ${to}`}, or choose the "comment" that starts such rows.`,
    ['path'],
    'title-rows',
  );
}

/** Digits with leading zeros, such as postal codes. */
const isCodeColumn = (rows: readonly CsvRow[], column: number): boolean =>
  rows.some(({ cells }) => /^\s*0\d{2,}\s*$/.test(cells[column] ?? ''));

/**
 * Whether the first row looks like data rather than names: every column with numbers below has one in the first row
 * too, or no column has numbers and the texts of the first row occur again.
 */
function looksLikeData(
  first: CsvRow,
  rows: readonly CsvRow[],
  count: number,
  isNumber: (cell: string | undefined) => boolean,
): boolean {
  if (rows.length === 0) return false;
  const columns = Array.from({ length: count }, (_, i) => i);
  const numeric = columns.filter((i) => rows.every(({ cells }) => isNumber(cells[i]) || isBlank(cells[i])));
  if (numeric.length > 0) return numeric.every((i) => isNumber(first.cells[i]));
  return columns.every((i) => !isBlank(first.cells[i]) && rows.some(({ cells }) => cells[i] === first.cells[i]));
}

/** pandas writes the row index as a first column without a name, and once more each time it is saved again. */
function savedIndexes(first: CsvRow, rows: readonly CsvRow[], parseNumber: (text: string) => number): number[] {
  const isSavedIndex = (column: number): boolean => {
    const name = first.cells[column]!.trim();
    if ((name !== '' && !/^Unnamed: \d+(\.\d+)*$/.test(name)) || rows.length < 3) return false;
    const numbers = rows.map(({ cells }) => parseNumber((cells[column] ?? '').trim()));
    return Number.isSafeInteger(numbers[0]) && numbers.every((value, i) => value === numbers[0]! + i);
  };
  const columns = first.cells.map((_, column) => column);
  const end = columns.findIndex((column) => !isSavedIndex(column));
  return end < 0 ? columns : columns.slice(0, end);
}
