// Draws lines at the positions of a chart's axes. Chart.js takes ten times as long for the same data, since it resolves
// options and creates an element per point for each drawing.
import type { Point } from './envelope';
import type { ChartGeometry } from './axes-cache';

export interface Pen {
  readonly color: string;
  readonly width: number;
  readonly dash: readonly number[];
}

export interface Stroke extends Pen {
  /** In the chart's units, in ascending order of x; a NaN y breaks the line. */
  readonly points: readonly Point[];
  /** Radius of the dot at each point; 0 for none. */
  readonly radius: number;
  /** False for points without lines. */
  readonly connected: boolean;
  /** The area down to a value, or to the points of another stroke. */
  readonly fill?: { readonly color: string; readonly to: number | readonly Point[] };
}

/** Pixel coordinates of the points. */
function toPixels({ scales: { x, y } }: ChartGeometry, points: readonly Point[]): Float64Array {
  const pixels = new Float64Array(2 * points.length);
  points.forEach((point, i) => {
    pixels[2 * i] = x!.getPixelForValue(point.x);
    pixels[2 * i + 1] = Number.isNaN(point.y) ? NaN : y!.getPixelForValue(point.y);
  });
  return pixels;
}

/** From this many points per pixel on, a line is drawn one pixel column at a time. */
const DENSE_POINTS_PER_PIXEL = 0.5;

/** @param pixels x and y of each point, in ascending order of x; a NaN y breaks the line */
export function drawLine(ctx: CanvasRenderingContext2D, pixels: Float64Array, { color, width, dash }: Pen): void {
  const ratio = ctx.getTransform().a;
  const count = pixels.length / 2;
  if (count > DENSE_POINTS_PER_PIXEL * ratio * (pixels[pixels.length - 2]! - pixels[0]!)) {
    ctx.fillStyle = color;
    fillColumns(ctx, pixels, width, dash, ratio);
    return;
  }
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  tracePath(ctx, pixels);
  ctx.stroke();
}

/** From the first to the last number of each unbroken segment. */
function tracePath(ctx: CanvasRenderingContext2D, pixels: Float64Array): void {
  let pen = false;
  for (let i = 0; i < pixels.length; i += 2) {
    if (Number.isNaN(pixels[i + 1])) pen = false;
    else if (pen) ctx.lineTo(pixels[i]!, pixels[i + 1]!);
    else {
      ctx.moveTo(pixels[i]!, pixels[i + 1]!);
      pen = true;
    }
  }
}

/**
 * A line with several points per pixel: fills every column from its highest to its lowest value, since stroking it
 * takes a CPU ten times as long. Dashes run along x; along the line they would fall apart.
 */
function fillColumns(
  ctx: CanvasRenderingContext2D,
  pixels: Float64Array,
  width: number,
  dash: readonly number[],
  ratio: number,
): void {
  const { first, tops, bottoms } = columnExtents(pixels, ratio);
  const period = dash.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < tops.length; i++) {
    if (tops[i]! > bottoms[i]! || (period > 0 && !isInDash(dash, (i / ratio) % period))) continue;
    ctx.fillRect((first + i) / ratio, tops[i]! - width / 2, 1 / ratio, bottoms[i]! - tops[i]! + width);
  }
}

/** Whether a position in the pattern is in a dash; dashes alternate with gaps. */
function isInDash(dash: readonly number[], place: number): boolean {
  let end = 0;
  return dash.findIndex((length) => place < (end += length)) % 2 === 0;
}

/** The lowest and highest position of a line in each pixel column; infinite where there is no line. */
export function columnExtents(
  pixels: Float64Array,
  ratio: number,
): { readonly first: number; readonly tops: Float64Array; readonly bottoms: Float64Array } {
  const column = (x: number): number => Math.floor(x * ratio);
  const first = column(pixels[0]!);
  const count = column(pixels[pixels.length - 2]!) - first + 1;
  const [tops, bottoms] = [new Float64Array(count).fill(Infinity), new Float64Array(count).fill(-Infinity)];
  const reach = (at: number, y: number): void => {
    if (y < tops[at - first]!) tops[at - first] = y;
    if (y > bottoms[at - first]!) bottoms[at - first] = y;
  };
  for (let i = 0; i < pixels.length; i += 2) {
    const [x, y] = [pixels[i]!, pixels[i + 1]!];
    if (Number.isNaN(y)) continue;
    reach(column(x), y);
    const [x0, y0] = i === 0 ? [NaN, NaN] : [pixels[i - 2]!, pixels[i - 1]!];
    if (!Number.isFinite(y0) || !Number.isFinite(y)) continue;
    // The point where it crosses into the next column belongs to both.
    for (let at = column(x0) + 1; at <= column(x); at++) {
      const border = y0 + ((y - y0) * (at / ratio - x0)) / (x - x0);
      reach(at - 1, border);
      reach(at, border);
    }
  }
  return { first, tops, bottoms };
}

function fillArea(
  ctx: CanvasRenderingContext2D,
  chart: ChartGeometry,
  pixels: Float64Array,
  { color, to }: NonNullable<Stroke['fill']>,
): void {
  const count = pixels.length / 2;
  const under = typeof to === 'number' ? null : toPixels(chart, to);
  const base = typeof to === 'number' ? chart.scales.y!.getPixelForValue(to) : 0;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(pixels[2 * i + 1])) continue;
    ctx.lineTo(pixels[2 * i]!, pixels[2 * i + 1]!);
  }
  if (under) {
    for (let i = under.length - 2; i >= 0; i -= 2)
      if (!Number.isNaN(under[i + 1])) ctx.lineTo(under[i]!, under[i + 1]!);
  } else if (count > 0) {
    ctx.lineTo(pixels[pixels.length - 2]!, base);
    ctx.lineTo(pixels[0]!, base);
  }
  ctx.closePath();
  ctx.fill();
}

function drawStroke(chart: ChartGeometry, stroke: Stroke): void {
  const { ctx } = chart;
  const pixels = toPixels(chart, stroke.points);
  if (stroke.fill) fillArea(ctx, chart, pixels, stroke.fill);
  if (stroke.connected && stroke.width > 0 && pixels.length > 0) drawLine(ctx, pixels, stroke);
  if (stroke.radius === 0) return;
  ctx.fillStyle = stroke.color;
  ctx.beginPath();
  for (let i = 0; i < pixels.length; i += 2) {
    if (Number.isNaN(pixels[i + 1])) continue;
    ctx.moveTo(pixels[i]! + stroke.radius, pixels[i + 1]!);
    ctx.arc(pixels[i]!, pixels[i + 1]!, stroke.radius, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** The first one is on top. */
export function drawStrokes(chart: ChartGeometry, strokes: readonly Stroke[]): void {
  const {
    ctx,
    chartArea: { left, top, width, height },
  } = chart;
  ctx.save();
  ctx.beginPath();
  // A line along the edge keeps its width, and a dot there stays whole. Whole pixels are faster than a soft edge.
  const [x, y] = [Math.floor(left - 3), Math.floor(top - 3)];
  ctx.rect(x, y, Math.ceil(left + width + 3) - x, Math.ceil(top + height + 3) - y);
  ctx.clip();
  for (let i = strokes.length - 1; i >= 0; i--) drawStroke(chart, strokes[i]!);
  ctx.restore();
}
