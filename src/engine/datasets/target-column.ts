// Reads the target column of a table as values and as labels at once, until it is known which of them it holds.
import { formatInteger } from '../format-count';
import { detachString } from '../detach-string';
import { DataError } from './data-error';
import type { Dataset } from './dataset';
import { type Classes, encodeLabels, type Label as EncodableLabel } from './labels';
import { GrowableRows } from './row-selection';

/** A column with more distinct labels does not hold classes. */
const MAX_LABELS = 100_000;

export interface TargetOptions {
  readonly task: 'auto' | 'classes' | 'values';
  readonly classes: Classes;
  /** Maximum number of distinct integers that are taken as classes. */
  readonly maxAutoClasses: number;
  /** Whether the loss predicts values; then `"task": "auto"` never takes numbers as classes. */
  readonly predictsValues: boolean;
}

/** How to interpret the cells of the column, and how to report invalid ones. */
export interface TargetCells {
  parse(text: string): number;
  isMissing(text: string): boolean;
  /** Whether a number may stand for a missing value. */
  readonly hasMissingNumbers: boolean;
  /** Whether a text that is no number was meant as one, such as `0,5` or a date. */
  isNumberLike(text: string): boolean;
  /** Whether a finite number fits the precision of the network. */
  fits(value: number): boolean;
  /** Throws the DataError for a cell that should be a number that fits. */
  reject(line: number, text: string): never;
  /** The position of a cell of the column, as text. */
  locate(line: number): string;
}

/** Why a column was taken as classes or as values. */
export type TargetReason = 'option' | 'class-names' | 'text' | 'whole-numbers' | 'value-loss' | 'numbers';

/** Where a label first occurred, and its number. */
interface Label {
  readonly text: string;
  readonly code: number;
  readonly line: number;
  /** NaN if the label is not a number. */
  readonly number: number;
}

/** A cell that is not a number, though it may be a label. */
interface CellReference {
  readonly line: number;
  readonly text: string;
}

export class TargetColumn {
  /** The value of each cell. Null while there are few labels, which store their numbers. */
  #values: GrowableRows | null;
  /** The label code of each cell, in one byte each until there are too many labels. */
  #codes: Uint8Array | Int32Array = new Uint8Array(16);
  #rows = 0;
  readonly #labels = new Map<string, Label>();
  /** Indexed by code. */
  readonly #labelsByCode: Label[] = [];
  /** The first cell that is not a finite number. */
  #firstNonNumber: CellReference | null = null;
  /** The first number that the network's precision cannot hold. */
  #firstTooLarge: CellReference | null = null;
  #firstExcessLabel: CellReference | null = null;

  /** @param expected number of rows */
  constructor(
    readonly options: TargetOptions,
    readonly cells: TargetCells,
    readonly expected: number,
  ) {
    this.#values = options.task === 'values' ? new GrowableRows(1, 'float64', expected) : null;
    if (!this.#values) this.#codes = new Uint8Array(Math.ceil(expected));
  }

  set(row: number, line: number, cell: string): void {
    const text = cell.trim();
    this.#rows = Math.max(this.#rows, row + 1);
    const value = this.#labels.get(text)?.number ?? this.cells.parse(text);
    const isNumber = Number.isFinite(value);
    // A missing cell is neither a value nor a class, whatever follows.
    if ((!isNumber || this.cells.hasMissingNumbers) && this.cells.isMissing(text)) this.cells.reject(line, text);
    if (!isNumber) {
      this.#firstNonNumber ??= { line, text: detachString(text) };
    } else if (!this.cells.fits(value)) this.#firstTooLarge ??= { line, text: detachString(text) };
    if (!this.#values) this.#setLabel(row, line, text, value);
    if (this.#values) this.#values.ensureRow(row)[row] = value;
  }

  toTargets(): Pick<Dataset, 'classes' | 'targets'> {
    if (!this.decide().isClassification) {
      const wrong = this.#firstNonNumber ?? this.#firstTooLarge;
      if (wrong) this.cells.reject(wrong.line, wrong.text);
      return { targets: (this.#values ?? this.#labelsToValues()).toArray() as Float64Array };
    }
    if (this.#firstExcessLabel) {
      throw new DataError(
        `${this.cells.locate(this.#firstExcessLabel.line)}: this is the ${formatInteger(MAX_LABELS + 1)}th distinct label.`,
        'Choose another "target", or write "task": "values".',
        ['target'],
      );
    }
    const { classes } = this.options;
    const found = this.#labelsByCode;
    // Class names must match exactly. Numeric labels are compared as numbers, unless they are codes such as 00501.
    const numeric = !this.#firstNonNumber && !Array.isArray(classes) && !areCodes(found.map(({ text }) => text));
    const encoded = encodeLabels(
      found.map(({ text, number }): EncodableLabel => (numeric ? exactNumber(text, number) : text)),
      classes,
      (i) => ({
        words: this.cells.locate(found[i]!.line),
        path: ['path'],
      }),
    );
    const codes = this.#codes.subarray(0, this.#rows);
    // The index of a class may exceed the number of distinct labels.
    const targets = encoded.classes.length > 256 ? Int32Array.from(codes) : codes;
    for (let i = 0; i < targets.length; i++) targets[i] = encoded.indexes[codes[i]!]!;
    return { classes: encoded.classes, targets };
  }

  #setLabel(row: number, line: number, text: string, number: number): void {
    let label = this.#labels.get(text);
    if (!label) {
      if (this.#labelsByCode.length === MAX_LABELS) {
        this.#firstExcessLabel = { line, text: detachString(text) };
        this.#values = this.#labelsToValues();
        this.#codes = new Int32Array(0);
        return;
      }
      label = { text: detachString(text), code: this.#labelsByCode.length, line, number };
      this.#labels.set(label.text, label);
      this.#labelsByCode.push(label);
    }
    const grown = row >= this.#codes.length ? Math.ceil((row * 9) / 8) + 16 : this.#codes.length;
    const needsInt32 = this.#codes instanceof Int32Array || label.code > 255;
    if (grown > this.#codes.length || (needsInt32 && this.#codes instanceof Uint8Array)) {
      const more = needsInt32 ? new Int32Array(grown) : new Uint8Array(grown);
      more.set(this.#codes);
      this.#codes = more;
    }
    this.#codes[row] = label.code;
  }

  #labelsToValues(): GrowableRows {
    const values = new GrowableRows(1, 'float64', Math.max(this.#rows, this.expected));
    if (this.#rows === 0) return values;
    const data = values.ensureRow(this.#rows - 1);
    for (let i = 0; i < this.#rows; i++) data[i] = this.#labelsByCode[this.#codes[i]!]?.number ?? NaN;
    return values;
  }

  /** Whether the column holds classes, and why. */
  decide(): { readonly isClassification: boolean; readonly reason: TargetReason } {
    const { task, classes, maxAutoClasses, predictsValues } = this.options;
    if (task !== 'auto') return { isClassification: task === 'classes', reason: 'option' };
    if (classes !== undefined) return { isClassification: true, reason: 'class-names' };
    const isText = ({ text, number }: Label): boolean =>
      Number.isNaN(number) && !/^[+-]?(nan|inf(inity)?)$/i.test(text);
    const texts = this.#labelsByCode.filter(isText);
    // A loss of values means numbers, unless no cell looks like one: a number that is mistyped is no class.
    const isNumeric =
      predictsValues &&
      (texts.length < this.#labelsByCode.length || texts.every(({ text }) => this.cells.isNumberLike(text)));
    if (texts.length > 0 && !isNumeric) return { isClassification: true, reason: 'text' };
    if (predictsValues) return { isClassification: false, reason: 'value-loss' };
    const isClassification =
      !this.#firstExcessLabel &&
      this.#labelsByCode.every(({ number }) => Number.isInteger(number)) &&
      new Set(this.#labelsByCode.map(({ number }) => number)).size <= maxAutoClasses;
    return { isClassification, reason: isClassification ? 'whole-numbers' : 'numbers' };
  }
}

/** Digits of the same length, some with leading zeros, are codes, of which each digit counts. */
export const areCodes = (texts: readonly string[]): boolean =>
  texts.every((text) => /^\d{2,}$/.test(text) && text.length === texts[0]!.length) &&
  texts.some((text) => text.startsWith('0'));

/** Integers beyond 2^53 keep all of their digits. */
export function exactNumber(text: string, number: number): number | bigint {
  if (Number.isSafeInteger(number)) return number;
  const digits = /^\+?(-?\d+)(?:\.0*)?$/.exec(text)?.[1];
  return digits === undefined ? number : BigInt(digits);
}
