// The errors of one parameter in its own shape, reduced where it is too large to be drawn.
import { relativeError, type ParameterFindings } from './summary';
import { VERDICTS } from './report';

/** A matrix of cells; each stands for one entry, or where there are too many for its gravest and farthest off. */
export interface ErrorMap {
  /** `linear1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of the whole matrix that one cell covers. */
  readonly rowStride: number;
  readonly columnStride: number;
  /** The entry that a cell shows, flat in row-major order. */
  readonly index: Uint32Array;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
  /** Error bar of the numeric value. */
  readonly bar: Float64Array;
  /** Relative errors. */
  readonly error: Float64Array;
  /** Index into VERDICTS; NOT_CHECKED where no entry of the cell was. */
  readonly verdict: Uint8Array;
}

/** What a cell shows of the entries that it stands for: the first of these that it has. */
const GRAVEST_FIRST = (['wrong', 'pass', 'kink', 'below_noise'] as const).map((verdict) => VERDICTS.indexOf(verdict));
const graveness = (verdict: number): number => (GRAVEST_FIRST.includes(verdict) ? GRAVEST_FIRST.length - GRAVEST_FIRST.indexOf(verdict) : 0);

/** @param most rows or columns */
export function errorMap({ name, shape, analytic, numeric, bars, verdicts }: ParameterFindings, most: number): ErrorMap {
  const width = shape[shape.length - 1] ?? 1;
  const height = analytic.length / width;
  const [rowStride, columnStride] = [Math.ceil(height / most), Math.ceil(width / most)];
  const [rows, columns] = [Math.ceil(height / rowStride), Math.ceil(width / columnStride)];
  const index = new Uint32Array(rows * columns);
  const best = new Float64Array(rows * columns).fill(-1);
  const errors = new Float64Array(rows * columns);
  for (let i = 0; i < analytic.length; i++) {
    const cell = Math.floor(Math.floor(i / width) / rowStride) * columns + Math.floor((i % width) / columnStride);
    const error = relativeError(analytic[i], numeric[i]);
    // A verdict counts before any error; an infinite error is as large as one can be.
    const rank = 4 * graveness(verdicts[i]) + Math.min(error, 2);
    if (!(rank > best[cell])) continue;
    best[cell] = rank;
    index[cell] = i;
    errors[cell] = error;
  }
  const of = (values: Float64Array): Float64Array => Float64Array.from(index, (i) => values[i]);
  return {
    name, shape: [...shape], rows, columns, rowStride, columnStride, index,
    analytic: of(analytic), numeric: of(numeric), bar: of(bars), error: errors, verdict: Uint8Array.from(index, (i) => verdicts[i]),
  };
}
