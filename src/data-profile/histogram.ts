import type { ColumnHistogram } from '../protocol/data-profile';

const BINS = 20;

/**
 * Counts in 20 bins from the smallest to the largest value, as `numpy.histogram` counts them. Whole numbers of a range
 * below 20 have a bin each, and a constant has one.
 * @param values finite
 */
export function histogram(values: ArrayLike<number>): ColumnHistogram | null {
  let [min, max, isWhole] = [Infinity, -Infinity, true];
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
    isWhole &&= Number.isInteger(values[i]);
  }
  if (min > max) return null;
  const byValue = isWhole && max - min < BINS;
  const [low, high] = byValue || min === max ? [min - 0.5, max + 0.5] : [min, max];
  const bins = byValue ? max - min + 1 : min === max ? 1 : BINS;
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins;
  const edge = (bin: number): number => (bin === bins ? high : low + bin * width);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    let bin = Math.min(bins - 1, Math.floor((value - low) / width));
    // Division and edges round differently.
    if (value < edge(bin)) bin--;
    else if (bin < bins - 1 && value >= edge(bin + 1)) bin++;
    counts[bin]!++;
  }
  return { low, high, counts };
}
