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
  /** What each cell reads as. Absent while the labels, which know their numbers, are few. */
  #values: GrowingRows | null;
  /** Which label each cell is; in a byte each until there are more labels than that tells. */
  #codes: Uint8Array | Int32Array = new Uint8Array(16);
  #rows = 0;
  readonly #labels = new Map<string, Label>();
  /** By code. */
  readonly #found: Label[] = [];
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
    readonly expected: number,
  ) {
    this.#values = options.task === 'values' ? new GrowingRows(1, 'float64', expected) : null;
    if (!this.#values) this.#codes = new Uint8Array(Math.ceil(expected));
  }

  set(row: number, line: number, cell: string): void {
    const text = cell.trim();
    this.#rows = Math.max(this.#rows, row + 1);
    const value = this.#labels.get(text)?.number ?? this.numberIn(text);
    if (!Number.isFinite(value)) this.#odd ??= { line, text: copyOf(text) };
    if (text === '') this.#empty ??= { line, text };
    if (!this.#values) this.#setLabel(row, line, text, value);
    if (this.#values) this.#values.reach(row)[row] = value;
  }

  finish(): Pick<Dataset, 'classes' | 'targets'> {
    if (!this.#hasClasses()) {
      if (this.#odd) this.complain(this.#odd.line, this.#odd.text);
      return { targets: (this.#values ?? this.#asValues()).finish() as Float64Array };
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
    const found = this.#found;
    // Names must match as they are written; labels that are numbers are compared as numbers.
    const numeric = !this.#odd && !Array.isArray(classes);
    const encoded = encodeLabels(found.map(({ text, number }) => (numeric ? number : text)), classes, (i) => ({
      words: this.place(found[i].line),
      path: ['path'],
    }));
    const codes = this.#codes.subarray(0, this.#rows);
    // A class may have a higher number than there are labels.
    const targets = encoded.classes.length > 256 ? Int32Array.from(codes) : codes;
    for (let i = 0; i < targets.length; i++) targets[i] = encoded.indexes[codes[i]];
    return { classes: encoded.classes, targets };
  }

  #setLabel(row: number, line: number, text: string, number: number): void {
    let label = this.#labels.get(text);
    if (!label) {
      if (this.#found.length === MOST_LABELS) {
        this.#tooMany = { line, text: copyOf(text) };
        this.#values = this.#asValues();
        this.#codes = new Int32Array(0);
        return;
      }
      label = { text: copyOf(text), code: this.#found.length, line, number };
      this.#labels.set(label.text, label);
      this.#found.push(label);
    }
    const grown = row >= this.#codes.length ? Math.ceil((row * 9) / 8) + 16 : this.#codes.length;
    const wide = this.#codes instanceof Int32Array || label.code > 255;
    if (grown > this.#codes.length || (wide && this.#codes instanceof Uint8Array)) {
      const more = wide ? new Int32Array(grown) : new Uint8Array(grown);
      more.set(this.#codes);
      this.#codes = more;
    }
    this.#codes[row] = label.code;
  }

  #asValues(): GrowingRows {
    const values = new GrowingRows(1, 'float64', Math.max(this.#rows, this.expected));
    if (this.#rows === 0) return values;
    const data = values.reach(this.#rows - 1);
    for (let i = 0; i < this.#rows; i++) data[i] = this.#found[this.#codes[i]]?.number ?? NaN;
    return values;
  }

  #hasClasses(): boolean {
    const { task, classes, mostFound } = this.options;
    if (task !== 'auto') return task === 'classes';
    if (classes !== undefined) return true;
    const isText = ({ text, number }: Label): boolean => Number.isNaN(number) && !/^([+-]?(nan|inf(inity)?))?$/i.test(text);
    if (this.#found.some(isText)) return true;
    return (
      !this.#tooMany &&
      this.#found.every(({ number }) => Number.isInteger(number)) &&
      new Set(this.#found.map(({ number }) => number)).size <= mostFound
    );
  }
}

/** A part of a text would keep the whole of it in memory. */
const copyOf = (text: string): string => text.split('').join('');
