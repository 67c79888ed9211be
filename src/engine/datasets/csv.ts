import { counted, isOrAre } from '../counted';
import * as z from 'zod/mini';
import { nearest } from '../nearest';
import type { InPieces } from '../pieces';
import { CsvReader, type CsvRow, CsvSyntaxError, DELIMITERS } from './csv-reader';
import { DataError, type Dataset, defineDataset, type GenerateContext } from './dataset';
import { type DataFile, readingWords } from './files';
import { classesOption } from './labels';
import { assertFits, GrowingRows, rowOptions, RowPicker } from './rows';
import { TargetColumn } from './target-column';

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
  ...rowOptions,
});

type CsvOptions = z.output<typeof options>;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number in a text without spaces around it; NaN where it holds anything else. */
const numberIn = (text: string): number => (NUMBER.test(text) ? Number(text) : NaN);

/** The columns of a file, by what its first row says. */
interface Columns {
  readonly path: string;
  /** A name for each column; "column 3" where the file has none. */
  readonly names: readonly string[];
  /** Row that the others are measured by. */
  readonly line: number;
}

/** Index of a column from its name or number. */
function columnIndex({ path, names }: Columns, wanted: string | number, at: (string | number)[]): number {
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

const place = ({ path, names }: Columns, line: number, index: number): string =>
  `${path}, row ${line}, column ${index + 1} (${names[index]})`;

/** A cell should hold a finite number and does not. */
function noNumber(columns: Columns, line: number, index: number, cell: string): never {
  const where = place(columns, line, index);
  const text = cell.trim();
  if (text === '') {
    throw new DataError(`${where}: the cell is empty.`, 'Fill it in, or remove the row.', ['path']);
  }
  if (/^[+-]?\d+,\d+$/.test(text)) {
    const message = `${where}: ${JSON.stringify(text)} is not a number.`;
    throw new DataError(message, 'Write a decimal point in place of the comma.', ['path']);
  }
  throw new DataError(
    Number.isNaN(numberIn(text))
      ? `${where}: ${JSON.stringify(text.slice(0, 40))} is not a number.`
      : `${where}: ${text.slice(0, 40)} is too large for a number.`,
    'Write a finite number, remove the row, or leave the column out of "inputs".',
    ['path'],
  );
}

/** Takes rows in, one after the other. */
class Table {
  readonly #context: GenerateContext<CsvOptions>;
  readonly #columns: Columns;
  readonly #inputs: readonly number[];
  readonly #targetIndex: number;
  readonly #target: TargetColumn;
  readonly #data: GrowingRows;
  readonly #picker: RowPicker;
  #samples = 0;

  /** @param expected rows in the whole file, about */
  constructor(context: GenerateContext<CsvOptions>, first: CsvRow, expected: number) {
    const { options, precision, random } = context;
    const names = first.cells.map((cell, i) => (options.header && cell.trim() !== '' ? cell.trim() : `column ${i + 1}`));
    const columns: Columns = { path: options.path, names, line: first.line };
    const target = options.target === undefined ? names.length - 1 : columnIndex(columns, options.target, ['target']);
    const chosen = options.inputs?.map((input, i) => columnIndex(columns, input, ['inputs', i]));
    const inputs = chosen ?? names.map((_, i) => i).filter((i) => i !== target);
    if (inputs.length === 0) {
      const message = `${columns.path} has one column only: none is left for the inputs.`;
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
    const rows = Math.min(expected, options.limit ?? Infinity);
    // What is expected may be a little too much; `add` counts.
    assertFits(columns.path, Math.floor(0.9 * rows), inputs.length, precision, ['path']);
    this.#context = context;
    this.#columns = columns;
    this.#inputs = inputs;
    this.#targetIndex = target;
    this.#data = new GrowingRows(inputs.length, precision, rows);
    this.#picker = new RowPicker(options, random.stream('rows'));
    this.#target = new TargetColumn(
      { task: options.task, classes: options.classes, mostFound: MAX_FOUND_CLASSES },
      numberIn,
      (line, text) => noNumber(columns, line, target, text),
      (line) => place(columns, line, target),
      rows,
    );
  }

  /** Indexes of the columns that are read. */
  get columns(): readonly number[] {
    return [...this.#inputs, this.#targetIndex];
  }

  get full(): boolean {
    return this.#picker.full;
  }

  add({ line, cells }: CsvRow): void {
    const { names, path, line: first } = this.#columns;
    if (cells.length !== names.length) {
      throw new DataError(
        `${path}, row ${line}: there ${isOrAre(cells.length)} ${counted(cells.length, 'cell')}, but row ${first} has ${names.length}.`,
        'Give every row the same number of cells; check "delimiter" if the file uses another one.',
        ['path'],
      );
    }
    const row = this.#picker.next();
    if (row < 0) return;
    const inputs = this.#inputs;
    const width = inputs.length;
    const data = this.#data.reach(row);
    for (let j = 0; j < width; j++) {
      const cell = cells[inputs[j]];
      const value = numberIn(cell.trim());
      if (!Number.isFinite(value)) noNumber(this.#columns, line, inputs[j], cell);
      data[row * width + j] = value;
    }
    this.#target.set(row, line, cells[this.#targetIndex]);
    if (row >= this.#samples) {
      this.#samples = row + 1;
      // Where the file holds more than its beginning let expect.
      if (this.#samples % 65536 === 0) assertFits(path, this.#samples, width, this.#context.precision, ['path']);
    }
  }

  finish(): Dataset {
    const inputs = this.#data.finish();
    const featureNames = this.#inputs.map((i) => this.#columns.names[i]);
    return { samples: this.#samples, inputShape: [this.#inputs.length], inputs, targetSize: 1, featureNames, ...this.#target.finish() };
  }
}

function* readTable(context: GenerateContext<CsvOptions>, file: DataFile): InPieces<Dataset> {
  const { path, header, delimiter } = context.options;
  const reader = new CsvReader(delimiter);
  let table: Table | undefined;
  let found = 0;
  let pieces = 0;
  for (const { piece, last } of marked(file.text())) {
    let rows: Iterable<CsvRow> = reader.rows(piece, last);
    if (!table) {
      // How many rows there will be follows from how many there are in the first piece.
      const [first, ...others] = rows;
      if (!first) continue;
      table = new Table(context, first, last ? others.length + 1 : Math.ceil((file.size / piece.length) * (others.length + 1) * 1.02));
      rows = header ? others : [first, ...others];
      reader.only(table.columns);
    }
    for (const row of rows) {
      found++;
      table.add(row);
      if (table.full) return table.finish();
    }
    if (++pieces % 4 === 0) yield readingWords(file);
  }
  if (!table || found === 0) {
    throw new DataError(
      table ? `${path} has column names but no rows of data.` : `${path} is empty.`,
      'Add a row for each sample, or name another file.',
      ['path'],
    );
  }
  return table.finish();
}

/** Each piece, and whether it is the last one. */
function* marked(pieces: Iterable<string>): Generator<{ readonly piece: string; readonly last: boolean }> {
  let before: string | undefined;
  for (const piece of pieces) {
    if (before !== undefined) yield { piece: before, last: false };
    before = piece;
  }
  yield { piece: before ?? '', last: true };
}

export const csv = defineDataset({
  kind: 'csv',
  summary: 'Samples from a CSV file: one row each, numbers in the input columns, a class or a value in the target column.',
  options,
  split: { validation: 0.2, test: 0.2 },
  shape: () => undefined,
  *generate(context): InPieces<Dataset> {
    const { path } = context.options;
    try {
      return yield* readTable(context, context.files.open(path, ['path']));
    } catch (error) {
      if (!(error instanceof CsvSyntaxError)) throw error;
      throw new DataError(
        `${path}, row ${error.line}: ${error.message}.`,
        'Close every quoted cell with ", and write "" for a quote inside one.',
        ['path'],
      );
    }
  },
});
