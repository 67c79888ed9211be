// Finds columns whose differences are lost when their numbers are rounded to the precision of the network, such as
// times in seconds since 1970 in float32.
import type { Precision } from '../kernels/tensor';
import type { DataNote, OptionPath } from './data-error';

/** Rounding to more than this share of the range of a column is worth a warning. */
const MAX_SHARE = 1e-3;
/** Columns that a note names. */
const MAX_NAMED = 5;

/** The distance from a number to the next one of the precision: IEEE 754 with 24 or 53 significant bits. */
function spacingAt(value: number, precision: Precision): number {
  bits.setFloat64(0, value);
  const exponent = ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
  return 2 ** (exponent - (precision === 'float32' ? 23 : 52));
}
const bits = new DataView(new ArrayBuffer(8));

export class RoundingLoss {
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  constructor(
    readonly columns: number,
    readonly precision: Precision,
  ) {
    this.#low = new Float64Array(columns).fill(Infinity);
    this.#high = new Float64Array(columns).fill(-Infinity);
  }

  /** @param value before it is rounded; finite */
  add(column: number, value: number): void {
    if (value < this.#low[column]!) this.#low[column] = value;
    if (value > this.#high[column]!) this.#high[column] = value;
  }

  /** @param nameOf a column, as it continues "in data.csv, " */
  notes(file: string, nameOf: (column: number) => string, path: OptionPath): DataNote[] {
    const lossy = Array.from({ length: this.columns }, (_, column) => column).filter((column) => {
      const [low, high] = [this.#low[column]!, this.#high[column]!];
      return high > low && this.#spacing(column) > MAX_SHARE * (high - low);
    });
    const [first] = lossy;
    if (first === undefined) return [];
    const names = lossy.slice(0, MAX_NAMED).map(nameOf).join(', ');
    const more = lossy.length > MAX_NAMED ? ` and ${lossy.length - MAX_NAMED} more` : '';
    const [low, high] = [this.#low[first]!, this.#high[first]!];
    const { precision } = this;
    return [
      {
        code: 'rounding-loss',
        severity: 'warning',
        message:
          `${file}: ${precision} rounds ${names}${more} to multiples of ${this.#spacing(first)}, though ` +
          `${lossy.length === 1 ? 'it' : 'the first'} only ranges from ${low} to ${high}.`,
        remedy:
          precision === 'float32'
            ? 'Write "precision": "float64", or subtract a constant from the column in the file.'
            : 'Subtract a constant from the column in the file; leave it out if it only numbers the samples.',
        path,
      },
    ];
  }

  /** At the largest number of the column. */
  #spacing(column: number): number {
    return spacingAt(Math.max(Math.abs(this.#low[column]!), Math.abs(this.#high[column]!)), this.precision);
  }
}
