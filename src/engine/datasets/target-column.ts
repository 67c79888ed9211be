// The target column of a table while it is read: as values and as labels, until it is known which of them it holds.
import { DataError, type Dataset } from './dataset';
import { type Classes, encodeLabels } from './labels';
import { GrowingRows } from './rows';

/** Labels beyond this are no classes. */
const MOST_LABELS = 100_000;

export interface TargetOptions {
  readonly task: 'auto' | 'classes' | 'values';
  readonly classes: Classes;
  /** Most different whole numbers that are taken for classes. */
  readonly mostFound: number;
}

/** Where a label was first seen, and as which number it reads. */
interface Label {
  readonly text: string;
  readonly code: number;
  readonly line: number;
  /** NaN where it is none. */
  readonly number: number;
}

/** A cell that is no value, though it may be a label. */
interface Odd {
  readonly line: number;
  readonly text: string;
}

export class TargetColumn {
  readonly #values: GrowingRows;
  readonly #codes: GrowingRows;
  readonly #labels = new Map<string, Label>();
  /** The first cell that is no finite number. */
  #odd: Odd | null = null;
  #empty: Odd | null = null;
  #tooMany: Odd | null = null;

  /**
   * @param complain throws the DataError about a cell that should be a number
   * @param place a cell of the column, in words
   */
  constructor(
    readonly options: TargetOptions,
    readonly numberIn: (text: string) => number,
    readonly complain: (line: number, text: string) => never,
    readonly place: (line: number) => string,
    expected: number,
  ) {
    this.#values = new GrowingRows(1, 'float64', expected);
    this.#codes = new GrowingRows(1, 'float64', options.task === 'values' ? 0 : expected);
  }

  set(row: number, line: number, cell: string): void {
    const text = cell.trim();
    const value = this.numberIn(text);
    this.#values.reach(row)[row] = value;
    if (!Number.isFinite(value)) this.#odd ??= { line, text };
    if (text === '') this.#empty ??= { line, text };
    if (this.options.task !== 'values') this.#setLabel(row, line, text, value);
  }

  finish(): Pick<Dataset, 'classes' | 'targets'> {
    if (!this.#hasClasses()) {
      if (this.#odd) this.complain(this.#odd.line, this.#odd.text);
      return { targets: this.#values.finish() as Float64Array };
    }
    if (this.#empty) {
      throw new DataError(`${this.place(this.#empty.line)}: the cell is empty.`, 'Fill it in, or remove the row.', ['path']);
    }
    if (this.#tooMany) {
      throw new DataError(
        `${this.place(this.#tooMany.line)}: this is the ${(MOST_LABELS + 1).toLocaleString('en-US')}th different label.`,
        'Choose another "target", or make this one a value with "task": "values".',
        ['target'],
      );
    }
    const { classes } = this.options;
    const found = [...this.#labels.values()];
    // Names must match as they are written; labels that are numbers are compared as numbers.
    const numeric = !this.#odd && !Array.isArray(classes);
    const encoded = encodeLabels(found.map(({ text, number }) => (numeric ? number : text)), classes, (i) => ({
      words: this.place(found[i].line),
      path: ['path'],
    }));
    const targets = this.#codes.finish() as Float64Array;
    for (let i = 0; i < targets.length; i++) targets[i] = encoded.indexes[targets[i]];
    return { classes: encoded.classes, targets };
  }

  #setLabel(row: number, line: number, text: string, number: number): void {
    let label = this.#labels.get(text);
    if (!label) {
      if (this.#labels.size === MOST_LABELS) {
        this.#tooMany ??= { line, text };
        return;
      }
      // A copy: a part of a text would keep the whole of it in memory.
      const kept = text.split('').join('');
      label = { text: kept, code: this.#labels.size, line, number };
      this.#labels.set(kept, label);
    }
    this.#codes.reach(row)[row] = label.code;
  }

  #hasClasses(): boolean {
    const { task, classes, mostFound } = this.options;
    if (task !== 'auto') return task === 'classes';
    if (classes !== undefined) return true;
    const found = [...this.#labels.values()];
    if (found.some(({ text, number }) => Number.isNaN(number) && !/^([+-]?(nan|inf(inity)?))?$/i.test(text))) return true;
    return (
      !this.#tooMany &&
      found.every(({ number }) => Number.isInteger(number)) &&
      new Set(found.map(({ number }) => number)).size <= mostFound
    );
  }
}
