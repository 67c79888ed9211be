// Lines in the places that the axes of a chart give: what Chart.js makes of the same data takes it ten times as long, as it
// resolves options and builds an element a point anew for each drawing.
import type { Point } from './envelope';
import type { Axes } from './ground';

export interface Pen {
  readonly colour: string;
  readonly width: number;
  readonly dash: readonly number[];
}

export interface Stroke extends Pen {
  /** In the chart's units, rising in x; a y that is no number breaks the line. */
  readonly points: readonly Point[];
  /** Of a dot at each point; 0 for none. */
  readonly radius: number;
  /** False for points alone. */
  readonly line: boolean;
  /** The area down to a value, or to the points of another stroke. */
  readonly fill?: { readonly colour: string; readonly to: number | readonly Point[] };
}

/** Pixels of the points. */
function placesOf({ scales: { x, y } }: Axes, points: readonly Point[]): Float64Array {
  const places = new Float64Array(2 * points.length);
  points.forEach((point, i) => {
    places[2 * i] = x.getPixelForValue(point.x);
    places[2 * i + 1] = Number.isNaN(point.y) ? NaN : y.getPixelForValue(point.y);
  });
  return places;
}

/** Points a pixel from which on a line is drawn a column of pixels at a time. */
const DENSE = 0.5;

/** @param places x and y of each point, rising in x; a y that is no number breaks the line. */
export function drawLine(ctx: CanvasRenderingContext2D, places: Float64Array, { colour, width, dash }: Pen): void {
  const ratio = ctx.getTransform().a;
  const count = places.length / 2;
  if (count > DENSE * ratio * (places[places.length - 2] - places[0])) {
    ctx.fillStyle = colour;
    fillColumns(ctx, places, width, dash, ratio);
    return;
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  trace(ctx, places);
  ctx.stroke();
}

/** From the first to the last number of each unbroken piece. */
function trace(ctx: CanvasRenderingContext2D, places: Float64Array): void {
  let pen = false;
  for (let i = 0; i < places.length; i += 2) {
    if (Number.isNaN(places[i + 1])) pen = false;
    else if (pen) ctx.lineTo(places[i], places[i + 1]);
    else {
      ctx.moveTo(places[i], places[i + 1]);
      pen = true;
    }
  }
}

/**
 * A line that goes up and down within each pixel: in every column from its highest to its lowest place. To stroke it takes a
 * processor ten times as long. Dashes run along x, where along the line they would fall apart.
 */
function fillColumns(ctx: CanvasRenderingContext2D, places: Float64Array, width: number, dash: readonly number[], ratio: number): void {
  const { first, tops, bottoms } = columnsOf(places, ratio);
  const period = dash.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < tops.length; i++) {
    if (tops[i] > bottoms[i] || (period > 0 && !isDrawn(dash, (i / ratio) % period))) continue;
    ctx.fillRect((first + i) / ratio, tops[i] - width / 2, 1 / ratio, bottoms[i] - tops[i] + width);
  }
}

/** Whether a place in the pattern is in one of its dashes, which alternate with gaps. */
function isDrawn(dash: readonly number[], place: number): boolean {
  let end = 0;
  return dash.findIndex((length) => place < (end += length)) % 2 === 0;
}

/** How far down a line reaches in each column of the screen's pixels, and how far up; infinite where there is none of it. */
export function columnsOf(places: Float64Array, ratio: number): { readonly first: number; readonly tops: Float64Array; readonly bottoms: Float64Array } {
  const column = (x: number): number => Math.floor(x * ratio);
  const first = column(places[0]);
  const count = column(places[places.length - 2]) - first + 1;
  const [tops, bottoms] = [new Float64Array(count).fill(Infinity), new Float64Array(count).fill(-Infinity)];
  const reach = (at: number, y: number): void => {
    if (y < tops[at - first]) tops[at - first] = y;
    if (y > bottoms[at - first]) bottoms[at - first] = y;
  };
  for (let i = 0; i < places.length; i += 2) {
    const [x, y] = [places[i], places[i + 1]];
    if (Number.isNaN(y)) continue;
    reach(column(x), y);
    const [x0, y0] = i === 0 ? [NaN, NaN] : [places[i - 2], places[i - 1]];
    if (!Number.isFinite(y0) || !Number.isFinite(y)) continue;
    // Where it goes from one column to the next it belongs to both.
    for (let at = column(x0) + 1; at <= column(x); at++) {
      const border = y0 + ((y - y0) * (at / ratio - x0)) / (x - x0);
      reach(at - 1, border);
      reach(at, border);
    }
  }
  return { first, tops, bottoms };
}

function fillTo(ctx: CanvasRenderingContext2D, chart: Axes, places: Float64Array, { colour, to }: NonNullable<Stroke['fill']>): void {
  const count = places.length / 2;
  const under = typeof to === 'number' ? null : placesOf(chart, to);
  const base = typeof to === 'number' ? chart.scales.y.getPixelForValue(to) : 0;
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(places[2 * i + 1])) continue;
    ctx.lineTo(places[2 * i], places[2 * i + 1]);
  }
  if (under) {
    for (let i = under.length - 2; i >= 0; i -= 2) if (!Number.isNaN(under[i + 1])) ctx.lineTo(under[i], under[i + 1]);
  } else if (count > 0) {
    ctx.lineTo(places[places.length - 2], base);
    ctx.lineTo(places[0], base);
  }
  ctx.closePath();
  ctx.fill();
}

function draw(chart: Axes, stroke: Stroke): void {
  const { ctx } = chart;
  const places = placesOf(chart, stroke.points);
  if (stroke.fill) fillTo(ctx, chart, places, stroke.fill);
  if (stroke.line && stroke.width > 0 && places.length > 0) drawLine(ctx, places, stroke);
  if (stroke.radius === 0) return;
  ctx.fillStyle = stroke.colour;
  ctx.beginPath();
  for (let i = 0; i < places.length; i += 2) {
    if (Number.isNaN(places[i + 1])) continue;
    ctx.moveTo(places[i] + stroke.radius, places[i + 1]);
    ctx.arc(places[i], places[i + 1], stroke.radius, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** The first one lies on top. */
export function drawStrokes(chart: Axes, strokes: readonly Stroke[]): void {
  const { ctx, chartArea: { left, top, width, height } } = chart;
  ctx.save();
  ctx.beginPath();
  // A line along the edge keeps its width, and a dot there stays whole. Whole pixels: a soft edge takes longer.
  const [x, y] = [Math.floor(left - 3), Math.floor(top - 3)];
  ctx.rect(x, y, Math.ceil(left + width + 3) - x, Math.ceil(top + height + 3) - y);
  ctx.clip();
  for (let i = strokes.length - 1; i >= 0; i--) draw(chart, strokes[i]);
  ctx.restore();
}
