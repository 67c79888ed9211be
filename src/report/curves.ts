// Series over the steps as a picture inside the page: lines told apart by colour and dash, whole decades on a logarithmic
// axis. A column of the picture shows the smallest and the largest value that fall on it, so a spike never vanishes.
import { grouped, short } from '../gradcheck/words';
import type { SeriesData } from '../history/series';
import { html, type Html, name } from './html';

export interface Curve {
  readonly name: string;
  readonly data: SeriesData | undefined;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 240, 64, 10, 10, 34];
/** Colours of the style sheet; each is used again with the next dash. */
const COLOURS = 6;
const DASHES = ['', '6 3', '2 2', '8 3 2 3'];
/** More lines could not be told apart. */
const MOST = COLOURS * DASHES.length;

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Place from 0, at the bottom, to 1; NaN for what has none. */
  readonly place: (value: number) => number;
}

/** @param logarithmic where values above 0 alone have a place */
function axisOf(values: readonly number[], logarithmic: boolean): Axis {
  const found = values.filter((value) => Number.isFinite(value) && (!logarithmic || value > 0)).map((value) => (logarithmic ? Math.log10(value) : value));
  let low = found.reduce((a, b) => Math.min(a, b), Infinity);
  let high = found.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = [0, 1];
  if (logarithmic) [low, high] = [Math.floor(low), Math.max(Math.floor(low) + 1, Math.ceil(high))];
  else if (low === high) [low, high] = [low - Math.max(1e-12, Math.abs(low) * 0.1), high + Math.max(1e-12, Math.abs(high) * 0.1)];
  const stride = logarithmic ? Math.ceil((high - low) / 6) : (high - low) / 4;
  const ticks = Array.from({ length: Math.floor((high - low) / stride + 1e-9) + 1 }, (_, i) => low + i * stride);
  const scaled = (value: number): number => (logarithmic ? (value > 0 ? Math.log10(value) : NaN) : value);
  return { low, high, ticks, place: (value) => (scaled(value) - low) / (high - low) };
}

/** Path of one series; a value without a place ends the line before it. */
function pathOf(data: SeriesData, end: number, axis: Axis): string {
  const [across, down] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const columns = new Map<number, { low: number; high: number }>();
  data.steps.forEach((step, i) => {
    const column = Math.round((step / end) * across);
    const before = columns.get(column);
    const [low, high] = [axis.place(data.low[i]), axis.place(data.high[i])];
    columns.set(column, { low: before ? Math.min(before.low, low) : low, high: before ? Math.max(before.high, high) : high });
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
    // A point of its own has no length: a round end makes it a dot.
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

/** Null where nothing was measured. */
export function curves(all: readonly Curve[], { title, unit, logarithmic, end }: CurvesOptions): Html | null {
  const measured = all.flatMap(({ name: of, data }) => (data && data.steps.length > 0 ? [{ name: of, data }] : []));
  if (measured.length === 0) return null;
  const drawn = measured.slice(0, MOST);
  const axis = axisOf(drawn.flatMap(({ data }) => [...data.low, ...data.high]), logarithmic);
  const down = (place: number): string => (TOP + (1 - place) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const label = (tick: number): string => (logarithmic ? `1e${tick}` : short(Number(tick.toPrecision(3)))).replace('-', '−');
  const dash = (i: number): string => DASHES[Math.floor(i / COLOURS)];
  const last = Math.max(1, end);
  return html`<figure><figcaption>${title} <small>${unit}</small></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`${title} over the steps, ${unit}; the numbers at the end are in the tables.`}">
${axis.ticks.map((tick) => {
  const y = down((tick - axis.low) / (axis.high - axis.low));
  return html`<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${y}" class="left">${label(tick)}</text>`;
})}
<text x="${LEFT}" y="${HEIGHT - 14}" class="from">0</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 14}" class="end">${grouped(last)}</text><text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 4}" class="middle">step</text>
${drawn.map(({ data }, i) => html`<path class="line c${i % COLOURS}" stroke-dasharray="${dash(i)}" d="${pathOf(data, last, axis)}"/>`)}
</svg>
<ul class="keys">${drawn.map(({ name: of }, i) => html`<li><svg viewBox="0 0 22 8" width="22" height="8" aria-hidden="true"><path class="line c${i % COLOURS}" stroke-dasharray="${dash(i)}" d="M0 4H22"/></svg> ${name(of)}</li>`)}</ul>
${measured.length > drawn.length ? html`<p>${drawn.length} of ${measured.length} lines are drawn.</p>` : null}</figure>`;
}
