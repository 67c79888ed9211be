import type { TargetCorrelation } from '../protocol/data-profile';

/** Pearson's correlation coefficient of the pairs that are complete; null where either is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0; i < x.length; i++) if (!Number.isNaN(x[i]) && !Number.isNaN(y[i])) pairs.push([x[i]!, y[i]!]);
  const meanX = pairs.reduce((sum, [value]) => sum + value, 0) / pairs.length;
  const meanY = pairs.reduce((sum, [, value]) => sum + value, 0) / pairs.length;
  let [xx, yy, xy] = [0, 0, 0];
  for (const [a, b] of pairs) {
    xx += (a - meanX) ** 2;
    yy += (b - meanY) ** 2;
    xy += (a - meanX) * (b - meanY);
  }
  return isSpread(xx, meanX, pairs.length) && isSpread(yy, meanY, pairs.length)
    ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)))
    : null;
}

/** The correlation ratio of values and their classes; null where the values are constant. */
export function correlationRatio(values: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const groups = new Map<number, { sum: number; count: number }>();
  let [sum, count] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const [value, index] = [values[i]!, labels[i]!];
    if (Number.isNaN(value) || Number.isNaN(index)) continue;
    const group = groups.get(index) ?? { sum: 0, count: 0 };
    groups.set(index, { sum: group.sum + value, count: group.count + 1 });
    sum += value;
    count++;
  }
  const mean = sum / count;
  let [total, between] = [0, 0];
  for (let i = 0; i < values.length; i++)
    if (!Number.isNaN(values[i]) && !Number.isNaN(labels[i])) total += (values[i]! - mean) ** 2;
  for (const group of groups.values()) between += group.count * (group.sum / group.count - mean) ** 2;
  return isSpread(total, mean, count) ? Math.sqrt(Math.min(1, between / total)) : null;
}

/** Round-off leaves a tiny deviation where all values are equal. */
const isSpread = (squares: number, mean: number, count: number): boolean =>
  count > 1 && Math.sqrt(squares / count) > 10 * Number.EPSILON * Math.abs(mean);

/** @param classCount how many the target has; null where it holds values */
export function targetCorrelation(
  values: ArrayLike<number>,
  target: ArrayLike<number>,
  classCount: number | null,
): TargetCorrelation | null {
  const measure = classCount === null || classCount <= 2 ? 'pearson' : 'eta';
  const value = measure === 'pearson' ? pearson(values, target) : correlationRatio(values, target);
  return value === null ? null : { measure, value };
}
