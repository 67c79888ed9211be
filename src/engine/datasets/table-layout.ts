// The layout of a table in a text file, determined from its first rows: column names, a delimiter at the end of rows, a
// saved index.
import { pluralize } from '../format-count';
import type { CsvRow } from './csv-reader';
import { DataError, type DataNote } from './data-error';

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
  if (header && !longer && rows.length > 0 && rows.every((row) => row.cells.length === length + 1)) {
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
      if (header && inputs.includes(0) && isSavedIndex(first, rows, parseNumber)) {
        notes.push({
          code: 'index-column',
          severity: 'warning',
          message: `Column 1 of ${path} has no name and counts the rows: a saved index is used as an input.`,
          remedy: 'List the other columns in "inputs", or save the file with index=False.',
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

/** In a file with the wrong delimiter, every row is a single cell that contains spaces. */
function checkDelimiter(sample: readonly CsvRow[], { path, header, chosenDelimiter }: TableOptions): void {
  if (chosenDelimiter !== undefined) return;
  const parts = sample.map(({ cells }) => (cells.length === 1 ? cells[0]!.trim().split(/[ \t]+/).length : 1));
  // R writes row names without a name of their own.
  const rows = header && parts[1] === parts[0]! + 1 ? parts.slice(1) : parts;
  if (rows[0]! < 2 || rows.some((count) => count !== rows[0])) return;
  throw new DataError(
    `${path}: the columns are separated by spaces, not by commas.`,
    'Add "delimiter": " ", which stands for any run of spaces.',
    ['path'],
    'space-delimited',
  );
}

function checkComment(sample: readonly CsvRow[], { path, comment }: TableOptions): void {
  if (comment !== undefined) return;
  const first = sample[0]!;
  const mark = /^\s*(#|%|\/\/|!)/.exec(first.cells[0]!)?.[1];
  if (mark === undefined) return;
  const next = sample.find(({ cells }) => !cells[0]!.trimStart().startsWith(mark));
  if (!next || next.cells.length === first.cells.length) return;
  throw new DataError(
    `${path}: row ${first.line} is a comment, not the first row of the table.`,
    `Add "comment": ${JSON.stringify(mark)}.`,
    ['path'],
    'comment-line',
  );
}

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

/** pandas writes the row index as a first column without a name. */
function isSavedIndex(first: CsvRow, rows: readonly CsvRow[], parseNumber: (text: string) => number): boolean {
  const name = first.cells[0]!.trim();
  if ((name !== '' && !/^Unnamed: 0(\.\d+)?$/.test(name)) || rows.length < 3) return false;
  const numbers = rows.map(({ cells }) => parseNumber(cells[0]!.trim()));
  return Number.isSafeInteger(numbers[0]) && numbers.every((value, i) => value === numbers[0]! + i);
}
