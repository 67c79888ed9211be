// Lines in the places that the axes of a chart give: what Chart.js makes of the same data takes it ten times as long, as it
// resolves options and builds an element a point anew for each drawing.
import type { Chart, ChartType, Plugin } from 'chart.js';
import type { Point } from './envelope';

export interface Stroke {
  /** In the chart's units, rising in x; a y that is no number breaks the line. */
  readonly points: readonly Point[];
  readonly colour: string;
  readonly width: number;
  readonly dash: readonly number[];
  /** Of a dot at each point; 0 for none. */
  readonly radius: number;
  /** False for points alone. */
  readonly line: boolean;
  /** The area down to a value, or to the points of another stroke. */
  readonly fill?: { readonly colour: string; readonly to: number | readonly Point[] };
}

/** What of a chart it takes to draw. */
type Ground = Pick<Chart, 'ctx' | 'chartArea' | 'scales'>;

/** Pixels of the points. */
function placesOf({ scales: { x, y } }: Ground, points: readonly Point[]): Float64Array {
  const places = new Float64Array(2 * points.length);
  points.forEach((point, i) => {
    places[2 * i] = x.getPixelForValue(point.x);
    places[2 * i + 1] = Number.isNaN(point.y) ? NaN : y.getPixelForValue(point.y);
  });
  return places;
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

function fillTo(ctx: CanvasRenderingContext2D, chart: Ground, places: Float64Array, { colour, to }: NonNullable<Stroke['fill']>): void {
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

function draw(chart: Ground, stroke: Stroke): void {
  const { ctx } = chart;
  const places = placesOf(chart, stroke.points);
  if (stroke.fill) fillTo(ctx, chart, places, stroke.fill);
  if (stroke.line && stroke.width > 0) {
    ctx.strokeStyle = stroke.colour;
    ctx.lineWidth = stroke.width;
    ctx.setLineDash([...stroke.dash]);
    ctx.beginPath();
    trace(ctx, places);
    ctx.stroke();
  }
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

/** @param strokes asked anew at every drawing; the first one lies on top */
export function strokesPlugin<Type extends ChartType>(strokes: () => readonly Stroke[]): Plugin<Type> {
  return {
    id: 'strokes',
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea: { left, top, width, height } } = chart;
      const all = strokes();
      ctx.save();
      ctx.beginPath();
      // A line along the edge keeps its width, and a dot there stays whole.
      ctx.rect(left - 3, top - 3, width + 6, height + 6);
      ctx.clip();
      for (let i = all.length - 1; i >= 0; i--) draw(chart, all[i]);
      ctx.restore();
    },
  };
}
