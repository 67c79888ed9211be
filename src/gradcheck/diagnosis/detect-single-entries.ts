// Detects a gradient of which only a few entries, one row or one column are wrong.
import { unravelIndex } from '../../presentation/tensor-index';
import type { Explanation } from './explanation';
import { describeFactor } from './factors';
import { EXPLAINED_RESIDUAL, fit } from './fit';
import { maxAbs, type GradientComparison } from './gradient-comparison';

const RELATIVE_TOLERANCE = 1e-6;
/** The share of entries that must be right. */
const MIN_RIGHT_SHARE = 0.5;

export interface SingleEntries {
  readonly explanation: Explanation;
  /** Whether it is one entry, one row or one column. */
  readonly isSingleLine: boolean;
}

export function detectSingleEntries({
  analytic,
  numeric,
  shape,
  dimensions,
}: GradientComparison): SingleEntries | null {
  const tolerance = RELATIVE_TOLERANCE * maxAbs(numeric);
  const wrong: number[] = [];
  let known = 0;
  for (let i = 0; i < analytic.length; i++) {
    if (Number.isNaN(numeric[i])) continue;
    known++;
    if (Math.abs(analytic[i]! - numeric[i]!) > tolerance) wrong.push(i);
  }
  if (wrong.length === 0 || known - wrong.length < MIN_RIGHT_SHARE * known) return null;
  const indices = wrong.map((i) => unravelIndex(i, shape));
  const line = shape.length < 2 ? null : commonRowOrColumn(indices);
  const where =
    wrong.length === 1
      ? `at [${indices[0]!.join(', ')}] alone`
      : line
        ? `only in ${line}`
        : `at ${wrong.length} of ${known} entries`;
  const pick = (values: Float64Array): Float64Array => Float64Array.from(wrong, (i) => values[i]!);
  const { factor, residual } = fit(pick(analytic), pick(numeric), pick(numeric));
  const what = wrong.every((i) => analytic[i] === 0)
    ? 'is zero there'
    : residual < EXPLAINED_RESIDUAL
      ? `${describeFactor(factor, dimensions)} there`
      : 'is right everywhere else';
  const description = `is wrong ${where}: it ${what}`;
  return {
    explanation: {
      cause: 'single_entries',
      description,
      factor: residual < EXPLAINED_RESIDUAL ? factor : null,
      dimension: null,
      residual: 0,
    },
    isSingleLine: wrong.length === 1 || line !== null,
  };
}

function commonRowOrColumn(indices: readonly (readonly number[])[]): string | null {
  if (indices.every(([row]) => row === indices[0]![0])) return `row ${indices[0]![0]}`;
  if (indices.every((index) => index[1] === indices[0]![1])) return `column ${indices[0]![1]}`;
  return null;
}
