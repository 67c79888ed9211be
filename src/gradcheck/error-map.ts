// The errors of a parameter in its own shape, reduced if it is too large to draw.
import { VERDICTS, type ErrorMap } from '../protocol/check-report';
import { BY_SEVERITY, type ParameterFindings, relativeError } from './build-report';

/** Of each of VERDICTS: larger for one that a cell shows before others. */
const SEVERITIES = VERDICTS.map((verdict) => BY_SEVERITY.length - BY_SEVERITY.indexOf(verdict));

/** @param maxCells the most rows or columns */
export function buildErrorMap(
  { name, shape, analytic, numeric, errorBars, verdicts }: ParameterFindings,
  maxCells: number,
): ErrorMap {
  const width = shape[shape.length - 1] ?? 1;
  const height = analytic.length / width;
  const [rowStride, columnStride] = [Math.ceil(height / maxCells), Math.ceil(width / maxCells)];
  const [rows, columns] = [Math.ceil(height / rowStride), Math.ceil(width / columnStride)];
  const index = new Uint32Array(rows * columns);
  const best = new Float64Array(rows * columns).fill(-1);
  const errors = new Float64Array(rows * columns);
  for (let i = 0; i < analytic.length; i++) {
    const cell = Math.floor(Math.floor(i / width) / rowStride) * columns + Math.floor((i % width) / columnStride);
    const error = relativeError(analytic[i]!, numeric[i]!);
    // The verdict ranks before the error; infinite errors are limited so that they do not outrank a verdict.
    const rank = 4 * (SEVERITIES[verdicts[i]!] ?? 0) + Math.min(error, 2);
    if (!(rank > best[cell]!)) continue;
    best[cell] = rank;
    index[cell] = i;
    errors[cell] = error;
  }
  const gather = (values: Float64Array): Float64Array => Float64Array.from(index, (i) => values[i]!);
  return {
    name,
    shape: [...shape],
    rows,
    columns,
    rowStride,
    columnStride,
    index,
    analytic: gather(analytic),
    numeric: gather(numeric),
    errorBar: gather(errorBars),
    error: errors,
    verdict: Uint8Array.from(index, (i) => verdicts[i]!),
  };
}
