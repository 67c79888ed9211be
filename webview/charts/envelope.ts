// From a bounded series to what is drawn and read of it: at most two points a pixel, its smallest and its largest
// value there, so that a spike never vanishes.
import type { SeriesData } from '../../src/protocol/panel';
import type { Range } from './axes';

export interface Point {
  x: number;
  y: number;
}

/** Steps lie in a bucket's middle. */
const middle = (data: SeriesData, i: number): number => data.steps[i] + (data.stride - 1) / 2;

/**
 * The line to draw. Buckets that share a pixel column are merged; a NaN breaks the line.
 * @param end the step at the right edge of the axis, which starts at 0
 * @param columns pixels between the two
 */
export function envelope(data: SeriesData, end: number, columns: number): Point[] {
  const points: Point[] = [];
  const { steps, low, high } = data;
  const merge = steps.length > columns;
  let i = 0;
  while (i < steps.length) {
    const x = middle(data, i);
    let smallest = low[i];
    let largest = high[i];
    let last = x;
    if (merge) {
      const column = Math.floor((x / end) * columns);
      while (i + 1 < steps.length && Math.floor((middle(data, i + 1) / end) * columns) === column) {
        i++;
        smallest = Math.min(smallest, low[i]);
        largest = Math.max(largest, high[i]);
        last = middle(data, i);
      }
    }
    i++;
    const at = (x + last) / 2;
    if (smallest === largest || Number.isNaN(smallest)) points.push({ x: at, y: smallest });
    else {
      // Next to the end it joins, so that the line does not zigzag.
      const before = points.length > 0 ? points[points.length - 1].y : smallest;
      const rising = Math.abs(before - smallest) <= Math.abs(before - largest);
      points.push({ x: at, y: rising ? smallest : largest }, { x: at, y: rising ? largest : smallest });
    }
  }
  return points;
}

/** The range of all finite values, on a logarithmic axis of those above 0; null when there is none. */
export function extent(series: readonly (SeriesData | undefined)[], positive: boolean): Range | null {
  let min = Infinity;
  let max = -Infinity;
  for (const data of series) {
    if (!data) continue;
    for (let i = 0; i < data.steps.length; i++) {
      for (const value of [data.low[i], data.high[i]]) {
        if (!Number.isFinite(value) || (positive && value <= 0)) continue;
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
  }
  return min <= max ? { min, max } : null;
}

export interface Reading {
  /** First and last step of the bucket that was read. */
  readonly step: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

/** The value at a step, or the last one before it; null when there is none yet. */
export function readAt(data: SeriesData | undefined, step: number): Reading | null {
  if (!data) return null;
  let from = 0;
  let to = data.steps.length;
  while (from < to) {
    const half = (from + to) >> 1;
    if (data.steps[half] <= step) from = half + 1;
    else to = half;
  }
  if (from === 0) return null;
  const first = data.steps[from - 1];
  return { step: first, last: first + data.stride - 1, low: data.low[from - 1], high: data.high[from - 1] };
}
