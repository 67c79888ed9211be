import * as z from 'zod/mini';
import { nearest } from '../nearest';
import { CsvSyntaxError, DELIMITERS, detectDelimiter, readCsv, type CsvRow } from './csv-reader';
import { DataError, defineDataset } from './dataset';
import { classesOption, encodeLabels } from './labels';

const MAX_FOUND_CLASSES = 20;

const column = z.union([z.string().check(z.minLength(1)), z.int().check(z.gte(1))]);

const options = z.strictObject({
  path: z
    .string()
    .check(z.minLength(1), z.describe('The file, relative to the spec. It must lie in the workspace.')),
  header: z._default(z.boolean().check(z.describe('Whether the first row names the columns.')), true),
  delimiter: z.optional(
    z.enum(DELIMITERS).check(z.describe('What parts the cells. Unless given: the one that the first row uses most.')),
  ),
  inputs: z.optional(
    z
      .array(column)
      .check(
        z.minLength(1),
        z.describe('The input columns, by name or by number counted from 1. Unless given: all but the target.'),
      ),
  ),
  target: z.optional(
    column.check(z.describe('The column to predict, by name or by number counted from 1. Unless given: the last.')),
  ),
  task: z._default(
    z
      .enum(['auto', 'classes', 'values'])
      .check(
        z.describe(
          'Whether the target is a class or a value. `auto`: classes where the column holds text, or whole ' +
            `numbers of which at most ${MAX_FOUND_CLASSES} differ; values otherwise.`,
        ),
      ),
    'auto',
  ),
  classes: classesOption,
});

type CsvOptions = z.output<typeof options>;

interface Table {
  readonly path: string;
  /** A name for each column; "column 3" where the file has none. */
  readonly names: readonly string[];
  readonly rows: readonly CsvRow[];
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number in a cell; NaN where it holds anything else. */
const numberIn = (cell: string): number => {
  const text = cell.trim();
  return NUMBER.test(text) ? Number(text) : NaN;
};

function readTable({ path, header, delimiter }: CsvOptions, text: string): Table {
  let rows: CsvRow[];
  try {
    rows = readCsv(text, delimiter ?? detectDelimiter(text));
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error;
    throw new DataError(
      `${path}, row ${error.line}: ${error.message}.`,
      'Close every quoted cell with ", and write "" for a quote inside one.',
      ['path'],
    );
  }
  const first = rows[0];
  if (!first || (header && rows.length < 2)) {
    throw new DataError(
      first ? `${path} has column names but no rows of data.` : `${path} is empty.`,
      'Add a row for each sample, or name another file.',
      ['path'],
    );
  }
  const width = first.cells.length;
  for (const { line, cells } of rows) {
    if (cells.length === width) continue;
    throw new DataError(
      `${path}, row ${line}: there are ${cells.length} cells, but row ${first.line} has ${width}.`,
      'Give every row the same number of cells; check "delimiter" if the file uses another one.',
      ['path'],
    );
  }
  const names = first.cells.map((cell, i) => (header && cell.trim() !== '' ? cell.trim() : `column ${i + 1}`));
  return { path, names, rows: header ? rows.slice(1) : rows };
}

/** Index of a column from its name or number. */
function columnIndex(table: Table, wanted: string | number, at: (string | number)[]): number {
  const { path, names } = table;
  if (typeof wanted === 'number') {
    if (wanted <= names.length) return wanted - 1;
    const message = `${path} has no column ${wanted}: it has ${names.length}.`;
    throw new DataError(message, `Write a number from 1 to ${names.length}.`, at);
  }
  const found = names.indexOf(wanted);
  if (found >= 0 && names.indexOf(wanted, found + 1) < 0) return found;
  if (found >= 0) {
    const message = `${path} has two columns named "${wanted}".`;
    throw new DataError(message, 'Give the column by its number, counted from 1.', at);
  }
  const near = nearest(wanted, names);
  throw new DataError(
    `${path} has no column "${wanted}".`,
    near ? `Did you mean "${near}"?` : `Its columns are: ${names.slice(0, 20).join(', ')}.`,
    at,
  );
}

const place = ({ path, names }: Table, { line }: CsvRow, index: number): string =>
  `${path}, row ${line}, column ${index + 1} (${names[index]})`;

/** The finite number in a cell. */
function readNumber(table: Table, row: CsvRow, index: number): number {
  const cell = row.cells[index];
  const value = numberIn(cell);
  if (Number.isFinite(value)) return value;
  const where = place(table, row, index);
  const text = cell.trim();
  if (text === '') {
    throw new DataError(`${where}: the cell is empty.`, 'Fill it in, or remove the row.', ['path']);
  }
  if (/^[+-]?\d+,\d+$/.test(text)) {
    const message = `${where}: ${JSON.stringify(text)} is not a number.`;
    throw new DataError(message, 'Write a decimal point in place of the comma.', ['path']);
  }
  throw new DataError(
    Number.isNaN(value)
      ? `${where}: ${JSON.stringify(text.slice(0, 40))} is not a number.`
      : `${where}: ${text} is too large for a number.`,
    'Write a finite number, remove the row, or leave the column out of "inputs".',
    ['path'],
  );
}

/** Whether the target column is read as classes. */
function hasClasses({ task, classes }: CsvOptions, cells: readonly string[]): boolean {
  if (task !== 'auto') return task === 'classes';
  if (classes !== undefined) return true;
  const numbers = cells.map(numberIn);
  const text = cells.some((cell, i) => Number.isNaN(numbers[i]) && !/^\s*([+-]?(nan|inf(inity)?))?\s*$/i.test(cell));
  return text || (numbers.every(Number.isInteger) && new Set(numbers).size <= MAX_FOUND_CLASSES);
}

export const csv = defineDataset({
  kind: 'csv',
  summary: 'Samples from a CSV file: one row each, numbers in the input columns, a class or a value in the target column.',
  options,
  split: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  generate({ options: wanted, readText }) {
    const table = readTable(wanted, readText(wanted.path));
    const { names, rows } = table;
    const target = wanted.target === undefined ? names.length - 1 : columnIndex(table, wanted.target, ['target']);
    const chosen = wanted.inputs?.map((input, i) => columnIndex(table, input, ['inputs', i]));
    const inputs = chosen ?? names.map((_, i) => i).filter((i) => i !== target);
    if (inputs.length === 0) {
      const message = `${table.path} has one column only: none is left for the inputs.`;
      throw new DataError(message, 'Name a file with inputs and a target.', ['path']);
    }
    const leak = inputs.indexOf(target);
    if (leak >= 0) {
      throw new DataError(
        `The target column "${names[target]}" is among the inputs: the network would be given the answer.`,
        'Remove it from "inputs", or choose another "target".',
        ['inputs', leak],
      );
    }
    const samples = rows.length;
    const data = new Float64Array(samples * inputs.length);
    rows.forEach((row, i) => data.set(inputs.map((index) => readNumber(table, row, index)), i * inputs.length));
    const featureNames = inputs.map((i) => names[i]);
    const common = { samples, inputShape: [inputs.length], inputs: data, targetSize: 1, featureNames };

    const cells = rows.map((row) => row.cells[target].trim());
    if (!hasClasses(wanted, cells)) {
      return { ...common, targets: Float64Array.from(rows, (row) => readNumber(table, row, target)) };
    }
    const empty = cells.indexOf('');
    if (empty >= 0) {
      throw new DataError(`${place(table, rows[empty], target)}: the cell is empty.`, 'Fill it in, or remove the row.', ['path']);
    }
    const numeric = cells.every((cell) => Number.isFinite(numberIn(cell)));
    // Names must match as they are written; labels that are numbers are compared as numbers.
    const labels = numeric && !Array.isArray(wanted.classes) ? cells.map(numberIn) : cells;
    const encoded = encodeLabels(labels, wanted.classes, (i) => ({
      words: place(table, rows[i], target),
      path: ['path'],
    }));
    return { ...common, classes: encoded.classes, targets: encoded.indexes };
  },
});
