// Series over the steps as an SVG figure: lines differ in color and dash, logarithmic axes have whole decades. Each
// pixel column shows the smallest and the largest value in it, so spikes never vanish.
import { formatCompact, formatInteger, formatPowerOfTen } from '../presentation/numbers';
import type { SeriesData } from '../history/series';
import { html, type Html, isolate } from './html';

export interface Curve {
  readonly name: string;
  readonly data: SeriesData | undefined;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 240, 64, 10, 10, 34];
/** Colors of the style sheet; they repeat with the next dash. */
const COLOR_COUNT = 6;
const DASHES = ['', '6 3', '2 2', '8 3 2 3'];
/** More lines could not be distinguished. */
const MAX_LINES = COLOR_COUNT * DASHES.length;

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Position from 0, at the bottom, to 1; NaN if the value is not on the axis. */
  readonly toFraction: (value: number) => number;
}

/** @param logarithmic whether only values above 0 are on the axis */
function createAxis(values: readonly number[], logarithmic: boolean): Axis {
  const plottable = values
    .filter((value) => Number.isFinite(value) && (!logarithmic || value > 0))
    .map((value) => (logarithmic ? Math.log10(value) : value));
  let low = plottable.reduce((a, b) => Math.min(a, b), Infinity);
  let high = plottable.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = [0, 1];
  if (logarithmic) [low, high] = [Math.floor(low), Math.max(Math.floor(low) + 1, Math.ceil(high))];
  else if (low === high)
    [low, high] = [low - Math.max(1e-12, Math.abs(low) * 0.1), high + Math.max(1e-12, Math.abs(high) * 0.1)];
  const stride = logarithmic ? Math.ceil((high - low) / 6) : (high - low) / 4;
  const ticks = Array.from({ length: Math.floor((high - low) / stride + 1e-9) + 1 }, (_, i) => low + i * stride);
  const scaled = (value: number): number => (logarithmic ? (value > 0 ? Math.log10(value) : NaN) : value);
  return { low, high, ticks, toFraction: (value) => (scaled(value) - low) / (high - low) };
}

/** The path of one series; a value that is not on the axis interrupts the line. */
function seriesPath(data: SeriesData, end: number, axis: Axis): string {
  const [across, down] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const columns = new Map<number, { low: number; high: number }>();
  data.steps.forEach((step, i) => {
    const column = Math.round((step / end) * across);
    const before = columns.get(column);
    const [low, high] = [axis.toFraction(data.low[i]!), axis.toFraction(data.high[i]!)];
    columns.set(column, {
      low: before ? Math.min(before.low, low) : low,
      high: before ? Math.max(before.high, high) : high,
    });
  });
  let path = '';
  let broken = true;
  for (const [column, { low, high }] of columns) {
    if (!Number.isFinite(low) || !Number.isFinite(high)) {
      broken = true;
      continue;
    }
    const at = (place: number): string => `${LEFT + column} ${(TOP + (1 - place) * down).toFixed(1)}`;
    path += `${broken ? 'M' : 'L'}${at(low)}${high > low ? `L${at(high)}` : ''}`;
    // A single point has no length: the round line cap makes it a dot.
    if (broken) path += 'h0';
    broken = false;
  }
  return path;
}

export interface CurvesOptions {
  readonly title: string;
  readonly unit: string;
  readonly logarithmic: boolean;
  /** The last step of the axis. */
  readonly end: number;
}

/** Null if nothing was measured. */
export function curvesFigure(series: readonly Curve[], { title, unit, logarithmic, end }: CurvesOptions): Html | null {
  const measured = series.flatMap(({ name: of, data }) => (data && data.steps.length > 0 ? [{ name: of, data }] : []));
  if (measured.length === 0) return null;
  const drawnSeries = measured.slice(0, MAX_LINES);
  const axis = createAxis(
    drawnSeries.flatMap(({ data }) => [...data.low, ...data.high]),
    logarithmic,
  );
  const down = (place: number): string => (TOP + (1 - place) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const label = (tick: number): string =>
    logarithmic ? formatPowerOfTen(tick) : formatCompact(Number(tick.toPrecision(3)));
  const dash = (i: number): string => DASHES[Math.floor(i / COLOR_COUNT)]!;
  const last = Math.max(1, end);
  return html`<figure>
    <figcaption>${title} <small>${unit}</small></figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-label="${`${title} over the steps, ${unit}; the numbers at the end are in the tables.`}"
    >
      ${axis.ticks.map((tick) => {
        const y = down((tick - axis.low) / (axis.high - axis.low));
        return html`<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}" /><text x="${LEFT - 6}" y="${y}" class="left"
            >${label(tick)}</text
          >`;
      })}
      <text x="${LEFT}" y="${HEIGHT - 14}" class="from">0</text>
      <text x="${WIDTH - RIGHT}" y="${HEIGHT - 14}" class="end">${formatInteger(last)}</text>
      <text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 4}" class="middle">step</text>
      ${drawnSeries.map(({ data }, i) => html`<path class="line c${i % COLOR_COUNT}" stroke-dasharray="${dash(i)}" d="${seriesPath(data, last, axis)}" />`)}
    </svg>
    <ul class="keys">
      ${drawnSeries.map(
        ({ name: of }, i) =>
          html`<li>
            <svg viewBox="0 0 22 8" width="22" height="8" aria-hidden="true">
              <path class="line c${i % COLOR_COUNT}" stroke-dasharray="${dash(i)}" d="M0 4H22" />
            </svg>
            ${isolate(of)}
          </li>`,
      )}
    </ul>
    ${measured.length > drawnSeries.length ? html`<p>${drawnSeries.length} of ${measured.length} lines are drawn.</p>` : null}
  </figure>`;
}
