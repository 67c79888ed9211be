// Most of a gradient is right, and a few entries, one row or one column are not.
import { unravel } from '../summary';
import type { Explanation } from './explain';
import { factorWords } from './factors';
import { EXPLAINED, fit } from './fit';
import { largest, type Trial } from './trial';

const RIGHT = 1e-6;
/** Entries of which at least so many are right. */
const MOST = 0.5;

export interface SingleEntries {
  readonly explanation: Explanation;
  /** One entry, one row or one column. */
  readonly inLine: boolean;
}

export function singleEntries({ analytic, numeric, shape, dimensions }: Trial): SingleEntries | null {
  const slack = RIGHT * largest(numeric);
  const wrong: number[] = [];
  let known = 0;
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i] - numeric[i]) > slack) wrong.push(i);
  }
  if (wrong.length === 0 || known - wrong.length < MOST * known) return null;
  const at = wrong.map((i) => unravel(i, shape));
  const line = shape.length < 2 ? null : sameLine(at);
  const where = wrong.length === 1 ? `at [${at[0].join(', ')}] alone` : line ? `in ${line} alone` : `at ${wrong.length} of ${known} entries`;
  const pick = (values: Float64Array): Float64Array => Float64Array.from(wrong, (i) => values[i]);
  const { factor, residual } = fit(pick(analytic), pick(numeric), pick(numeric));
  const what =
    wrong.every((i) => analytic[i] === 0) ? 'is zero there' : residual < EXPLAINED ? `${factorWords(factor, dimensions)} there` : 'is right everywhere else';
  const words = `is wrong ${where}: it ${what}`;
  return {
    explanation: { cause: 'single_entries', words, factor: residual < EXPLAINED ? factor : null, dimension: null, residual: 0 },
    inLine: wrong.length === 1 || line !== null,
  };
}

function sameLine(at: readonly (readonly number[])[]): string | null {
  if (at.every(([row]) => row === at[0][0])) return `row ${at[0][0]}`;
  if (at.every((index) => index[1] === at[0][1])) return `column ${at[0][1]}`;
  return null;
}
