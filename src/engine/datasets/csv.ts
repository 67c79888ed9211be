// Tables in text files: CSV and similar formats.
import { pluralize, isOrAre } from '../format-count';
import { escapeControls } from '../../protocol/escape-controls';
import type { CooperativeTask } from '../cooperative-task';
import { type CellContext, diagnoseCell, isNumberLike, MAX_DIAGNOSED_LENGTH, numberParser } from './cell-values';
import type { CsvRow } from './csv-reader';
import { csvSource } from './csv-source';
import {
  assignColumns,
  type CsvColumns,
  csvOptions,
  type CsvOptions,
  MAX_AUTO_CLASSES,
  MissingCells,
  readTable,
  type RowConsumer,
  type TableHead,
} from './csv-table';
import { DataError, type DataNote } from './data-error';
import { type Dataset, defineDataset, type GenerateContext } from './dataset';
import { countMissing, missingNotes, missingRemedy } from './missing-values';
import { inputGroups, inputNamesOf } from './named-inputs';
import { RoundingLoss } from './rounding-loss';
import { assertFitsInMemory, GrowableRows, RowSampler } from './row-selection';
import type { TableLayout } from './table-layout';
import { TargetColumn, type TargetReason } from './target-column';
import { ThousandsTest } from './thousands';

const cellLocation = ({ path, names }: CsvColumns, line: number, index: number): string =>
  `${path}, row ${line}, column ${index + 1} (${names[index]})`;

const isWhole = (cell: string): boolean => /^\s*[+-]?\d+\s*$/.test(cell);

/** Maximum number of cells of a column that a diagnosis inspects. */
const MAX_COLUMN_CELLS = 100;
const taskReasons: Readonly<Record<TargetReason, string | undefined>> = {
  option: undefined,
  'class-names': undefined,
  text: 'it contains text',
  'whole-numbers': `it contains at most ${MAX_AUTO_CLASSES} distinct integers`,
  'value-loss': 'it contains numbers, and the loss predicts values',
  numbers: 'it contains numbers that are not integers, or many distinct ones',
};

/** Collects the rows of a table. */
class CsvTable implements RowConsumer {
  readonly #context: GenerateContext<CsvOptions>;
  readonly #columns: CsvColumns;
  readonly #layout: TableLayout;
  readonly #delimiter: string;
  readonly #sample: readonly CsvRow[];
  readonly #inputs: readonly number[];
  readonly #targetColumn: number;
  readonly #target: TargetColumn;
  readonly #data: GrowableRows;
  readonly #sampler: RowSampler;
  readonly #parseNumber: (text: string) => number;
  readonly #missing: MissingCells;
  readonly #rounding: RoundingLoss;
  /** The last column is the target; null where the options say how numbers are written. */
  readonly #thousands: ThousandsTest | null;
  #samples = 0;
  #dropped = 0;

  constructor(context: GenerateContext<CsvOptions>, { layout, sample, delimiter, expected }: TableHead) {
    const { options, precision, random } = context;
    const { names } = layout;
    const columns: CsvColumns = { path: options.path, names, line: sample[0]!.line };
    const roles = assignColumns(options, columns);
    const { inputs, target } = roles;
    const rows = Math.min(expected, options.limit ?? Infinity);
    // The estimate may be slightly too large; `addRow` counts exactly.
    assertFitsInMemory(columns.path, Math.floor(0.9 * rows), inputs.length, precision, ['path']);
    this.#context = context;
    this.#layout = layout;
    this.#delimiter = delimiter;
    this.#sample = sample;
    this.#columns = columns;
    this.#inputs = inputs;
    this.#targetColumn = target;
    this.#parseNumber = numberParser(options);
    this.#missing = new MissingCells(options, roles);
    this.#data = new GrowableRows(inputs.length, precision, rows);
    this.#rounding = new RoundingLoss(inputs.length, precision);
    const isDefault = options.decimal === '.' && options.thousands === undefined;
    this.#thousands = isDefault ? new ThousandsTest(inputs.length + 1) : null;
    this.#sampler = new RowSampler(options, random.stream('rows'));
    this.#target = new TargetColumn(
      {
        task: options.task,
        classes: options.classes,
        maxAutoClasses: MAX_AUTO_CLASSES,
        predictsValues: context.loss?.target === 'values',
      },
      {
        parse: this.#parseNumber,
        isMissing: (text) => this.#missing.isMissingTarget(text),
        hasMissingNumbers: options.missing_values !== undefined,
        isNumberLike: (text) => isNumberLike(text, this.#cellContext(target)),
        fits: (value) => precision === 'float64' || Number.isFinite(Math.fround(value)),
        reject: (line, text) => this.#rejectCell(line, target, text),
        locate: (line) => cellLocation(columns, line, target),
      },
      rows,
    );
  }

  /** Indices of the columns that are read. */
  get columns(): readonly number[] {
    const read = [...this.#inputs, this.#targetColumn];
    return this.#layout.hasTrailingDelimiter ? [...read, this.#columns.names.length] : read;
  }

  get isFull(): boolean {
    return this.#sampler.isFull;
  }

  addRow({ line, cells }: CsvRow): void {
    const { names, path } = this.#columns;
    if (cells.length !== names.length) this.#checkLength(line, cells);
    const inputs = this.#inputs;
    const { missing, missing_values: further } = this.#context.options;
    if (missing === 'drop' && this.#missing.isIncomplete(cells)) {
      this.#dropped++;
      return;
    }
    const row = this.#sampler.nextIndex();
    if (row < 0) return;
    const width = inputs.length;
    const data = this.#data.ensureRow(row);
    for (let j = 0; j < width; j++) {
      const cell = cells[inputs[j]!]!.trim();
      const value = this.#parseNumber(cell);
      const at = row * width + j;
      data[at] = value;
      if (Number.isFinite(data[at]) && (further === undefined || !this.#missing.isMissing(cell))) {
        this.#rounding.add(j, value);
        this.#thousands?.add(j, cell, value);
        continue;
      }
      if (missing !== 'mean' || !this.#missing.isMissing(cell)) this.#rejectCell(line, inputs[j]!, cell);
      data[at] = NaN;
    }
    const target = cells[this.#targetColumn]!;
    if (this.#thousands) {
      const value = this.#parseNumber(target.trim());
      if (Number.isFinite(value)) this.#thousands.add(width, target.trim(), value);
    }
    this.#target.set(row, line, target);
    if (row >= this.#samples) {
      this.#samples = row + 1;
      // The file may hold more rows than estimated.
      if (this.#samples % 65536 === 0)
        assertFitsInMemory(path, this.#samples, width, this.#context.precision, ['path']);
    }
  }

  toDataset(): Dataset {
    if (this.#samples === 0) {
      throw new DataError(
        `${this.#columns.path} has no row without a missing value.`,
        'Choose "missing": "mean", or use fewer "inputs".',
        ['missing'],
        'no-rows',
      );
    }
    const targets = this.#target.toTargets();
    const inputs = this.#data.toArray();
    const filled = this.#context.options.missing === 'mean' ? countMissing(inputs) : 0;
    return {
      samples: this.#samples,
      inputShape: [this.#inputs.length],
      inputs,
      targetSize: 1,
      ...this.#groups(),
      featureNames: this.#inputs.map((i) => escapeControls(this.#columns.names[i]!)),
      ...targets,
      ...(filled > 0 && { fillMissing: true }),
      notes: [...this.#notes(filled), ...alikeNotes(targets.classes)],
    };
  }

  #groups(): Pick<Dataset, 'groups'> {
    const { inputs } = this.#context.options;
    if (!inputs || Array.isArray(inputs)) return {};
    return { groups: inputGroups(Object.entries(inputs).map(([name, { length }]) => ({ name, shape: [length] }))) };
  }

  /** Throws unless the row only has one more delimiter at its end, like the others. */
  #checkLength(line: number, cells: readonly string[]): void {
    const { names, path, line: first } = this.#columns;
    const { hasTrailingDelimiter } = this.#layout;
    if (hasTrailingDelimiter && cells.length === names.length + 1 && cells[names.length]!.trim() === '') return;
    throw new DataError(
      `${path}, row ${line}: there ${isOrAre(cells.length)} ${pluralize(cells.length, 'cell')}, but row ${first} has ${names.length}.`,
      this.#lengthRemedy(cells),
      ['path'],
      'row-length',
    );
  }

  /** What to do about a row with another number of cells. */
  #lengthRemedy(cells: readonly string[]): string {
    const count = this.#columns.names.length;
    const { comment } = this.#context.options;
    const mark = /^\s*([#%;!])/.exec(cells[0]!)?.[1];
    if (mark !== undefined && comment === undefined)
      return `If the row is a comment, add "comment": ${JSON.stringify(mark)}.`;
    if (cells.length === 1 && /^\p{Cc}+$/u.test(cells[0]!))
      return `Remove the row, which consists of ${escapeControls(cells[0]![0]!)}: a mark of the end, or an interrupted copy.`;
    if (cells.some((cell) => /^\s+"/.test(cell)))
      return 'Remove the spaces ahead of quotes: a quoted cell starts right after the delimiter.';
    if (this.#delimiter === ' ')
      return 'If cells are empty, convert the file in Python: pandas.read_fwf("data.txt").to_csv("data.csv", index=False).';
    if (this.#delimiter === ',' && cells.length > count && cells.length <= 2 * count && cells.every(isWhole))
      return 'If its numbers have decimal commas, save the file with another delimiter, such as ";".';
    return 'Give every row the same number of cells, or choose the "delimiter" that the file uses.';
  }

  /** Reports a cell that should hold a finite number that fits the precision. */
  #rejectCell(line: number, column: number, text: string): never {
    const where = cellLocation(this.#columns, line, column);
    const isTarget = column === this.#targetColumn;
    const fail = (code: string, what: string, remedy: string): never => {
      throw new DataError(`${where}: ${what}.`, remedy, ['path'], code);
    };
    if (
      text === '' &&
      column === 0 &&
      this.#delimiter === '|' &&
      this.#sample.every((row) => row.cells[0]!.trim() === '')
    ) {
      fail(
        'leading-delimiter',
        'the cell is empty, because each row starts with "|"',
        'Remove the bars at both ends of the rows, or list the columns that follow in "inputs".',
      );
    }
    const isMissing = isTarget ? this.#missing.isMissingTarget(text) : this.#missing.isMissing(text);
    if (isMissing) {
      fail(
        'missing-value',
        text === '' ? 'the cell is empty' : `the value is missing (${JSON.stringify(text)})`,
        missingRemedy(isTarget),
      );
    }
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    if (Number.isFinite(this.#parseNumber(text))) {
      fail(
        'beyond-precision',
        `${shown} is too large for float32, whose largest number is 3.4e38`,
        'Write "precision": "float64", or scale the column.',
      );
    }
    const { options } = this.#context;
    const below = this.#sample.find((row) => row.line > line)?.cells[column]?.trim();
    if (
      !options.header &&
      line === this.#columns.line &&
      below !== undefined &&
      Number.isFinite(this.#parseNumber(below))
    ) {
      fail('header-not-read', `${shown} is not a number; row ${line} looks like column names`, 'Write "header": true.');
    }
    if (options.header && text === this.#columns.names[column] && line !== this.#columns.line) {
      fail(
        'names-repeated',
        `${shown} is the name of the column, so row ${line} repeats the column names`,
        `Remove row ${line}. It may be where two files were joined.`,
      );
    }
    if (this.#isSecondHeader(line)) {
      fail(
        'second-header',
        `${shown} is not a number; row ${line} looks like units or a second row of names`,
        `Remove row ${line}, or make it a comment and choose "comment".`,
      );
    }
    const { code, what, remedy } = diagnoseCell(text, this.#cellContext(column));
    return fail(code, `${shown} ${what}`, remedy);
  }

  /** Whether a row is the first below the names and has no number where all rows below it have. */
  #isSecondHeader(line: number): boolean {
    const [, second, ...rows] = this.#sample;
    if (!this.#context.options.header || second?.line !== line || rows.length < 2) return false;
    const isNumber = (cell: string | undefined): boolean => Number.isFinite(this.#parseNumber((cell ?? '').trim()));
    const numeric = this.#inputs.filter((i) => rows.every(({ cells }) => isNumber(cells[i])));
    return numeric.length > 0 && numeric.every((i) => !isNumber(second.cells[i]));
  }

  #cellContext(column: number): CellContext {
    const { options } = this.#context;
    return {
      delimiter: this.#delimiter,
      column: this.#sample
        .slice(options.header ? 1 : 0, MAX_COLUMN_CELLS)
        .map(({ cells }) => (cells[column] ?? '').slice(0, MAX_DIAGNOSED_LENGTH).trim()),
      isTarget: column === this.#targetColumn,
      format: options,
    };
  }

  #notes(filled: number): DataNote[] {
    const notes: DataNote[] = [...this.#layout.notes(this.#inputs)];
    const { isClassification, reason } = this.#target.decide();
    const why = taskReasons[reason];
    const { names } = this.#columns;
    if (why !== undefined) {
      const [task, other] = isClassification ? ['classes', 'values'] : ['values', 'classes'];
      notes.push({
        code: 'task-decided',
        severity: 'information',
        message: `The target "${names[this.#targetColumn]}" is read as ${task}: ${why}.`,
        remedy:
          reason === 'text'
            ? `Write "task": "${task}" to keep this.`
            : `Write "task": "${task}" to keep this, or "task": "${other}".`,
        path: ['task'],
      });
    }
    notes.push(...missingNotes(this.#columns.path, { dropped: this.#dropped, filled }));
    const nameOf = (input: number): string => `column ${this.#inputs[input]! + 1} (${names[this.#inputs[input]!]})`;
    notes.push(...this.#rounding.notes(this.#columns.path, nameOf, ['inputs']));
    const columns = [...this.#inputs, this.#targetColumn];
    notes.push(...(this.#thousands?.notes(this.#columns.path, (column) => names[columns[column]!]!) ?? []));
    return notes;
  }
}

/** Labels that differ only in case or in spaces are often meant to be one. */
function alikeNotes(classes: readonly string[] = []): DataNote[] {
  const firsts = new Map<string, string>();
  for (const name of classes) {
    const key = name.toLowerCase().replace(/\s+/g, ' ');
    const first = firsts.get(key);
    if (first !== undefined) {
      return [
        {
          code: 'labels-alike',
          severity: 'warning',
          message: `The labels ${JSON.stringify(first)} and ${JSON.stringify(name)} are alike, but different classes.`,
          remedy: 'Write them in the same way if they mean the same class.',
          path: ['path'],
        },
      ];
    }
    firsts.set(key, name);
  }
  return [];
}

export const csv = defineDataset({
  kind: 'csv',
  aliases: ['file', 'tsv', 'table'],
  summary:
    'Samples from a CSV file: one per row, with numbers in the input columns and a class or a value in the target column.',
  options: csvOptions,
  defaultSplit: { validation: 0.2, test: 0.2 },
  inputNames: ({ inputs }) => inputNamesOf(inputs),
  shape: () => undefined,
  *generate(context): CooperativeTask<Dataset> {
    const table = yield* readTable(context, (first) => new CsvTable(context, first));
    return table.toDataset();
  },
  source: csvSource,
});
