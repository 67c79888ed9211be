// Mean, spread, norm and extremes of a tensor, in float64.
import type { TensorData } from '../engine/kernels/tensor';
import type { Bound } from '../expressions';
import type { TensorSummary } from '../protocol/queries';

/** The summary of all entries of a tensor, prepared for reading. */
export function summarizeTensor({ size, at, data }: Pick<Bound, 'size' | 'at' | 'data'>): TensorSummary {
  // Two loops: for ten million entries, a call or a choice for each takes twice as long or longer.
  return data ? summarizeStored(data, size) : summarizeEntries(at, size);
}

function summarizeStored(data: TensorData, size: number): TensorSummary {
  let [sum, squares, min, max, nans] = [0, 0, Infinity, -Infinity, 0];
  for (let i = 0; i < size; i++) {
    const value = data[i]!;
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) nans++;
  }
  const mean = sum / size;
  // Around the mean: the difference of squares would lose the digits of a small spread.
  let spread = 0;
  for (let i = 0; i < size; i++) spread += (data[i]! - mean) ** 2;
  return toSummary({ mean, variance: spread / size, squares, min, max, nans });
}

function summarizeEntries(at: (index: number) => number, size: number): TensorSummary {
  let [sum, squares, min, max, nans] = [0, 0, Infinity, -Infinity, 0];
  for (let i = 0; i < size; i++) {
    const value = at(i);
    sum += value;
    squares += value * value;
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) nans++;
  }
  const mean = sum / size;
  let spread = 0;
  for (let i = 0; i < size; i++) spread += (at(i) - mean) ** 2;
  return toSummary({ mean, variance: spread / size, squares, min, max, nans });
}

interface Sums extends Pick<TensorSummary, 'mean' | 'min' | 'max' | 'nans'> {
  readonly variance: number;
  readonly squares: number;
}

const toSummary = ({ mean, variance, squares, min, max, nans }: Sums): TensorSummary => ({
  mean,
  std: Math.sqrt(variance),
  norm: Math.sqrt(squares),
  min: nans > 0 ? NaN : min,
  max: nans > 0 ? NaN : max,
  nans,
});
