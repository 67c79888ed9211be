// Reads the rows of a table in a text file, and assigns its columns to inputs and target.
import * as z from 'zod/mini';
import type { CooperativeTask } from '../cooperative-task';
import { missingTest, missingValuesOption, numberFormatOptions, numberParser } from './cell-values';
import { CsvReader, type CsvRow, CsvSyntaxError, DELIMITERS } from './csv-reader';
import { type DataFile, readingProgress } from './data-file';
import { DataError, unknownNameError } from './data-error';
import type { GenerateContext } from './dataset';
import { identifyFile, SIGNATURE_BYTES } from './file-kind';
import { classesOption } from './labels';
import { missingOption } from './missing-values';
import { namedInputs } from './named-inputs';
import { rowOptions } from './row-selection';
import { describeTable, type TableLayout } from './table-layout';

/** Integers of at most so many distinct values are classes if nothing else decides. */
export const MAX_AUTO_CLASSES = 20;

const column = z.union([z.string().check(z.minLength(1)), z.int().check(z.gte(1))]);
const columns = z.array(column).check(z.minLength(1));

export const csvOptions = z.strictObject({
  path: z.string().check(z.minLength(1), z.describe('The file, relative to the spec. It must lie in the workspace.')),
  header: z._default(z.boolean().check(z.describe('Whether the first row names the columns.')), true),
  delimiter: z.optional(
    z
      .enum(DELIMITERS)
      .check(
        z.describe(
          'The separator of the cells; a space stands for any run of spaces and tabs. ' +
            'By default, the one that the first row uses most, which is never a space.',
        ),
      ),
  ),
  comment: z.optional(
    z.string().check(z.minLength(1), z.maxLength(4), z.describe('Lines that start with this text are skipped.')),
  ),
  ...numberFormatOptions,
  missing: missingOption('such as empty cells, NA, ? and null'),
  missing_values: missingValuesOption,
  inputs: z.optional(
    z
      .union([columns, namedInputs(columns)])
      .check(
        z.describe(
          'The input columns, by name or by number from 1. By default, all except the target. ' +
            'Several inputs have names, such as { "house": ["area", "rooms"], "place": ["x", "y"] }: ' +
            'layers read them with "inputs": ["house"].',
        ),
      ),
  ),
  target: z.optional(
    column.check(z.describe('The column to predict, by name or by number from 1. By default, the last.')),
  ),
  task: z._default(
    z
      .enum(['auto', 'classes', 'values'])
      .check(
        z.describe(
          'Whether the target is a class or a value. `auto`: a class if `classes` is given. With a loss on values, such as ' +
            'mse, a value, unless every cell is text that is no mistyped number such as `0,5`. With a loss on classes, ' +
            `a class if any cell is text or if there are at most ${MAX_AUTO_CLASSES} distinct integers, otherwise a value.`,
        ),
      ),
    'auto',
  ),
  classes: classesOption,
  ...rowOptions,
});

export type CsvOptions = z.output<typeof csvOptions>;

/** The columns of a file, from its first row. */
export interface CsvColumns {
  readonly path: string;
  /** A name for each column; "column 3" where the file has none. */
  readonly names: readonly string[];
  /** The line of the row whose length the others must have. */
  readonly line: number;
}

/** Index of a column from its name or number. */
function columnIndex({ path, names }: CsvColumns, wanted: string | number, at: (string | number)[]): number {
  if (typeof wanted === 'number') {
    if (wanted <= names.length) return wanted - 1;
    const message = `${path} has no column ${wanted}: it has ${names.length}.`;
    throw new DataError(message, `Write a number from 1 to ${names.length}.`, at);
  }
  const found = names.indexOf(wanted);
  if (found >= 0 && names.indexOf(wanted, found + 1) < 0) return found;
  if (found >= 0) {
    const message = `${path} has two columns named "${wanted}".`;
    throw new DataError(message, 'Use the number of the column, from 1.', at);
  }
  throw unknownNameError(path, 'column', wanted, names, at);
}

/** Indices of columns. */
export interface ColumnRoles {
  readonly inputs: readonly number[];
  readonly target: number;
}

/** @throws DataError if the options name columns that the file does not have */
export function assignColumns(options: CsvOptions, columns: CsvColumns): ColumnRoles {
  const { names, path } = columns;
  const target = options.target === undefined ? names.length - 1 : columnIndex(columns, options.target, ['target']);
  const { inputs: given } = options;
  const listed: readonly (readonly [name: string | number, path: (string | number)[]])[] | undefined = Array.isArray(
    given,
  )
    ? given.map((name, i) => [name, ['inputs', i]])
    : given &&
      Object.entries(given).flatMap(([group, all]) => all.map((name, i) => [name, ['inputs', group, i]] as const));
  const chosen = listed?.map(([name, path]) => columnIndex(columns, name, path));
  const inputs = chosen ?? names.map((_, i) => i).filter((i) => i !== target);
  if (inputs.length === 0) {
    throw new DataError(
      `${path} has only one column, so none is left for the inputs.`,
      'Use a file with inputs and a target.',
      ['path'],
      'one-column',
    );
  }
  const leak = inputs.indexOf(target);
  if (leak >= 0) {
    throw new DataError(
      `The target column "${names[target]}" is also an input, so the network would get the answer.`,
      'Remove it from "inputs", or choose another "target".',
      listed?.[leak]?.[1] ?? ['inputs', leak],
      'target-among-inputs',
    );
  }
  return { inputs, target };
}

/** Finds missing values. */
export class MissingCells {
  readonly #classNames: ReadonlySet<string>;
  /** Whether a cell, without surrounding spaces, is missing as an input. */
  readonly isMissing: (text: string) => boolean;

  constructor(
    options: CsvOptions,
    readonly roles: ColumnRoles,
  ) {
    const { classes, missing_values: further } = options;
    this.#classNames = new Set(Array.isArray(classes) ? classes : []);
    this.isMissing = missingTest(further, numberParser(options));
  }

  /** A class may have the name of a missing value. */
  isMissingTarget(text: string): boolean {
    return this.isMissing(text) && !this.#classNames.has(text);
  }

  isIncomplete(cells: readonly string[]): boolean {
    const { inputs, target } = this.roles;
    return (
      this.isMissingTarget((cells[target] ?? '').trim()) || inputs.some((i) => this.isMissing((cells[i] ?? '').trim()))
    );
  }
}

/** What the first rows of a file show. */
export interface TableHead {
  /** The first rows, including the one with names. */
  readonly sample: readonly CsvRow[];
  readonly delimiter: string;
  readonly layout: TableLayout;
  /** Estimated number of rows in the file. */
  readonly expected: number;
}

/** Receives the rows of a table. */
export interface RowConsumer {
  /** Indices of the columns to read; by default, all. */
  readonly columns?: readonly number[];
  /** No further row is wanted. */
  readonly isFull: boolean;
  addRow(row: CsvRow): void;
}

/** Rows that are read before the columns are determined; fewer if they are very wide. */
const SAMPLE_ROWS = 100;
const SAMPLE_CELLS = 200_000;

/**
 * Reads the rows of the file that the options name, without the row of names.
 * @param begin called once with the first rows; returns what takes all rows
 * @throws DataError
 */
export function* readTable<Consumer extends RowConsumer>(
  { options, files }: GenerateContext<CsvOptions>,
  begin: (head: TableHead) => Consumer,
): CooperativeTask<Consumer> {
  const { path, decimal, thousands } = options;
  if (decimal === thousands) {
    throw new DataError(
      `"decimal" and "thousands" are both "${decimal}", so a number could be read in two ways.`,
      `Remove "thousands", or write "decimal": "${decimal === ',' ? '.' : ','}".`,
      ['thousands'],
      'same-separators',
    );
  }
  try {
    return yield* readRows(options, files.open(path, ['path']), begin);
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error;
    throw new DataError(`${path}, row ${error.line}: ${error.message}.`, error.remedy, ['path'], 'csv-syntax');
  }
}

function* readRows<Consumer extends RowConsumer>(
  options: CsvOptions,
  file: DataFile,
  begin: (head: TableHead) => Consumer,
): CooperativeTask<Consumer> {
  const { path, header, delimiter, comment, limit, pick } = options;
  checkKind(file);
  const reader = new CsvReader({ ...(delimiter && { delimiter }), ...(comment && { comment }) });
  // Rows after the limit are not inspected.
  const sampleRows = Math.min(SAMPLE_ROWS, pick === 'first' && limit !== undefined ? limit + 1 : Infinity);
  const sample: CsvRow[] = [];
  let sampleCells = 0;
  let consumer: Consumer | undefined;
  const start = (expected: number): Consumer => {
    const used = reader.delimiter ?? ',';
    const layout = describeTable(
      sample,
      { path, header, delimiter: used, chosenDelimiter: delimiter, comment },
      numberParser(options),
    );
    const begun = begin({ sample, delimiter: used, layout, expected });
    if (begun.columns) reader.selectColumns(begun.columns);
    for (const row of header ? sample.slice(1) : sample) if (!begun.isFull) begun.addRow(row);
    return begun;
  };
  let chunks = 0;
  for (const { piece, last } of withIsLast(file.text())) {
    for (const row of reader.rows(piece, last)) {
      if (consumer) consumer.addRow(row);
      else {
        sample.push(row);
        sampleCells += row.cells.length;
        // Estimates the number of rows from the length of these.
        if (sample.length >= sampleRows || sampleCells >= SAMPLE_CELLS)
          consumer = start(Math.ceil((file.size / reader.consumed) * sample.length * 1.02));
      }
      if (consumer?.isFull) return consumer;
    }
    if (++chunks % 4 === 0) yield readingProgress(file);
  }
  if (sample.length === 0 || (header && sample.length === 1 && !consumer)) {
    throw new DataError(
      sample.length > 0 ? `${path} has column names but no rows of data.` : `${path} is empty.`,
      'Add a row for each sample, or use another file.',
      ['path'],
      'no-rows',
    );
  }
  return consumer ?? start(sample.length);
}

/** @throws DataError if the file is recognized as something other than text */
function checkKind(file: DataFile): void {
  const kind = identifyFile(file.read(0, Math.min(file.size, SIGNATURE_BYTES)));
  if (kind) throw new DataError(`${file.name} is ${kind.name}.`, kind.remedy, ['path'], 'wrong-file-kind');
}

/** Each chunk, and whether it is the last one. */
function* withIsLast(pieces: Iterable<string>): Generator<{ readonly piece: string; readonly last: boolean }> {
  let before: string | undefined;
  for (const piece of pieces) {
    if (before !== undefined) yield { piece: before, last: false };
    before = piece;
  }
  yield { piece: before ?? '', last: true };
}
