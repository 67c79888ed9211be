// Reduces a bounded series to what is drawn: at most two points per pixel, its minimum and maximum, so that spikes
// never vanish.
import type { SeriesData } from '../../src/protocol/panel';
import type { Range } from './axes';

export interface Point {
  x: number;
  y: number;
}

/** A bucket is drawn at its middle step. */
const bucketCenter = (data: SeriesData, i: number): number => data.steps[i]! + (data.stride - 1) / 2;

/**
 * The line to draw. Buckets in the same pixel column are merged; NaN breaks the line.
 * @param end the step at the right edge of the axis, which starts at 0
 * @param columns pixels between the two
 */
export function envelope(data: SeriesData, end: number, columns: number): Point[] {
  const points: Point[] = [];
  const { steps, low, high } = data;
  const merge = steps.length > columns;
  let i = 0;
  while (i < steps.length) {
    const x = bucketCenter(data, i);
    let smallest = low[i]!;
    let largest = high[i]!;
    let last = x;
    if (merge) {
      const column = Math.floor((x / end) * columns);
      while (i + 1 < steps.length && Math.floor((bucketCenter(data, i + 1) / end) * columns) === column) {
        i++;
        smallest = Math.min(smallest, low[i]!);
        largest = Math.max(largest, high[i]!);
        last = bucketCenter(data, i);
      }
    }
    i++;
    const at = (x + last) / 2;
    if (smallest === largest || Number.isNaN(smallest)) points.push({ x: at, y: smallest });
    else {
      // Starts with the closer end, so that the line does not zigzag.
      const before = points.length > 0 ? points[points.length - 1]!.y : smallest;
      const rising = Math.abs(before - smallest) <= Math.abs(before - largest);
      points.push({ x: at, y: rising ? smallest : largest }, { x: at, y: rising ? largest : smallest });
    }
  }
  return points;
}

/** The range of all finite values (on a logarithmic axis, of those above 0); null if there are none. */
export function extent(series: readonly (SeriesData | undefined)[], positive: boolean): Range | null {
  let min = Infinity;
  let max = -Infinity;
  for (const data of series) {
    if (!data) continue;
    for (let i = 0; i < data.steps.length; i++) {
      for (const value of [data.low[i]!, data.high[i]!]) {
        if (!Number.isFinite(value) || (positive && value <= 0)) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
  }
  return min <= max ? { min, max } : null;
}

export interface Bucket {
  /** First and last step of the bucket. */
  readonly step: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

/** The value at a step, or the last one before it; null if there is none yet. */
export function bucketAt(data: SeriesData | undefined, step: number): Bucket | null {
  if (!data) return null;
  let from = 0;
  let to = data.steps.length;
  while (from < to) {
    const half = (from + to) >> 1;
    if (data.steps[half]! <= step) from = half + 1;
    else to = half;
  }
  if (from === 0) return null;
  const first = data.steps[from - 1]!;
  return { step: first, last: first + data.stride - 1, low: data.low[from - 1]!, high: data.high[from - 1]! };
}

/** Beyond this many decades, a linear axis shows only the largest values. */
const LINEAR_DECADES = 3;

/** Whether positive values span more decades than a linear axis can show. */
export function spansDecades(series: readonly { readonly data: SeriesData | undefined }[]): boolean {
  const range = extent(
    series.map(({ data }) => data),
    true,
  );
  return range !== null && range.min > 0 && Math.log10(range.max / range.min) > LINEAR_DECADES;
}
