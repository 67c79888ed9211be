// Finds columns whose points separate thousands, but are read as decimal marks: 1.250 beside 870.
import type { DataNote } from './data-error';

/** A point ahead of three digits, behind one to three others. */
const GROUPED = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
/** Characters of a whole number below 1,000; 1.000 has more. */
const MAX_WHOLE = 4;
/** Numbers with three decimals are rarely whole: one in a thousand. */
const MIN_CELLS = 3;

export class ThousandsTest {
  readonly #grouped: Uint32Array;
  readonly #whole: Uint32Array;
  readonly #others: Uint32Array;
  /** Whether a point separates decimals. */
  #hasDecimals = false;

  constructor(readonly columns: number) {
    [this.#grouped, this.#whole, this.#others] = [0, 0, 0].map(() => new Uint32Array(columns)) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ];
  }

  /** @param cell a number as it is written, without spaces */
  add(column: number, cell: string, value: number): void {
    if (!this.#hasDecimals && cell.includes('.') && !GROUPED.test(cell)) this.#hasDecimals = true;
    if (this.#others[column]! > 0) return;
    const isWhole = cell.length <= MAX_WHOLE && Math.abs(value) < 1000 && Number.isInteger(value);
    const counts = isWhole ? this.#whole : GROUPED.test(cell) ? this.#grouped : this.#others;
    counts[column]!++;
  }

  /** @param nameOf a column, as it continues "in data.csv, " */
  notes(file: string, nameOf: (column: number) => string): DataNote[] {
    const columns = Array.from({ length: this.columns }, (_, column) => column);
    const found = columns.filter(
      (column) =>
        this.#others[column] === 0 && this.#grouped[column]! >= MIN_CELLS && this.#whole[column]! >= MIN_CELLS,
    );
    if (found.length === 0) return [];
    // The same mark separates decimals elsewhere.
    const isSafe = !this.#hasDecimals;
    return [
      {
        code: 'thousands-as-decimals',
        severity: 'warning',
        message: `${file}: the points of ${found.map(nameOf).join(', ')} probably separate thousands: they are always ahead of three digits, and the other numbers are whole. But 1.250 is read as 1.25.`,
        remedy: isSafe
          ? 'Add "thousands": "." and "decimal": ",".'
          : 'Remove these points from the file, because other columns have decimal points.',
        path: ['path'],
        ...(isSafe && {
          fix: { title: 'Read points as thousands separators', options: { decimal: ',', thousands: '.' } },
        }),
      },
    ];
  }
}
