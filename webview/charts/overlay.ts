// What is drawn over a step chart: the playhead, the shared crosshair, the healthy band behind the lines, the step of
// the first NaN, and each line's label at its end.
import { toCss, type Rgb } from '../canvas/colors';
import type { Theme } from '../canvas/theme';
import { FONT_SIZE, chartFont } from './setup';
import type { ChartGeometry } from './axes-cache';

export interface EndLabel {
  readonly text: string;
  readonly color: Rgb;
  /** In the chart's units: the end of the longest line, and the last value of this one. */
  readonly x: number;
  readonly y: number;
}

export interface Overlay {
  readonly theme: Theme;
  /** The current step. */
  readonly playhead: number;
  readonly crosshair: number | null;
  /** Pinned steps. */
  readonly pins: readonly number[];
  readonly band: { readonly low: number; readonly high: number } | null;
  /** Step of the first NaN. */
  readonly nonFiniteStep: number | null;
  readonly labels: readonly EndLabel[];
}

const LINE_HEIGHT = FONT_SIZE + 2;

/** Moves labels apart so that they do not overlap, keeping their order and staying between top and bottom. */
export function spreadLabels(wanted: readonly number[], height: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const placed = [...wanted];
  let least = top + height / 2;
  for (const i of order) {
    placed[i] = Math.max(placed[i]!, least);
    least = placed[i] + height;
  }
  let most = bottom - height / 2;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i]!, most);
    most = placed[i] - height;
  }
  return placed;
}

function drawVerticalLine(chart: ChartGeometry, step: number, stroke: string, dash: readonly number[]): void {
  const { ctx, chartArea: area, scales } = chart;
  const x = Math.round(scales.x!.getPixelForValue(step)) + 0.5;
  if (x < area.left - 1 || x > area.right + 1) return;
  ctx.strokeStyle = stroke;
  ctx.setLineDash([...dash]);
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(x, area.top);
  ctx.lineTo(x, area.bottom);
  ctx.stroke();
}

function drawBand(chart: ChartGeometry, { theme, band }: Overlay): void {
  if (!band) return;
  const { ctx, chartArea: area, scales } = chart;
  const clamp = (y: number): number => Math.min(area.bottom, Math.max(area.top, y));
  const top = clamp(scales.y!.getPixelForValue(band.high));
  const bottom = clamp(scales.y!.getPixelForValue(band.low));
  ctx.fillStyle = toCss(theme.good, 0.13);
  ctx.fillRect(area.left, top, area.width, bottom - top);
  if (theme.highContrast) {
    ctx.strokeStyle = toCss(theme.good);
    ctx.setLineDash([2, 3]);
    ctx.strokeRect(area.left, top, area.width, bottom - top);
  }
}

function drawLabels(chart: ChartGeometry, { theme, labels }: Overlay): void {
  const { ctx, chartArea: area, scales } = chart;
  const wanted = labels.map(({ y }) => scales.y!.getPixelForValue(y));
  const placed = spreadLabels(wanted, LINE_HEIGHT, area.top, area.bottom);
  ctx.font = chartFont(theme);
  ctx.textBaseline = 'middle';
  ctx.setLineDash([]);
  const end = Math.min(area.right, scales.x!.getPixelForValue(labels[0]?.x ?? 0));
  labels.forEach(({ text, color }, i) => {
    // In the line's color, the leader would look like data.
    ctx.strokeStyle = toCss(theme.muted, 0.7);
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(end + 3, Math.min(area.bottom, Math.max(area.top, wanted[i]!)));
    ctx.lineTo(end + 9, placed[i]!);
    ctx.stroke();
    ctx.fillStyle = toCss(color);
    ctx.fillRect(end + 10, placed[i]! - 2.5, 5, 5);
    ctx.fillStyle = toCss(theme.foreground);
    ctx.fillText(text, end + 18, placed[i]!);
  });
}

/** Draws what is behind the lines. */
export function drawBelowLines(chart: ChartGeometry, overlay: Overlay): void {
  chart.ctx.save();
  drawBand(chart, overlay);
  chart.ctx.restore();
}

/** Draws what is over the lines. */
export function drawAboveLines(chart: ChartGeometry, overlay: Overlay): void {
  const { ctx } = chart;
  const { theme, playhead, pins, nonFiniteStep, crosshair } = overlay;
  ctx.save();
  drawVerticalLine(chart, playhead, toCss(theme.foreground, 0.45), []);
  for (const pin of pins) drawVerticalLine(chart, pin, toCss(theme.foreground, 0.6), [1, 3]);
  if (nonFiniteStep !== null) drawVerticalLine(chart, nonFiniteStep, toCss(theme.bad), [2, 2]);
  if (crosshair !== null) drawVerticalLine(chart, crosshair, toCss(theme.foreground, 0.85), [4, 3]);
  drawLabels(chart, overlay);
  ctx.restore();
}

let measureContext: CanvasRenderingContext2D | null = null;

/** Width to reserve at the right for the labels of these lines; null if they would take too much of the chart. */
export function labelWidth(texts: readonly string[], theme: Theme, chartWidth: number): number | null {
  if (texts.length === 0) return null;
  const ctx = (measureContext ??= document.createElement('canvas').getContext('2d'));
  if (!ctx) return null;
  const font = chartFont(theme);
  if (ctx.font !== font) ctx.font = font;
  const width = Math.ceil(Math.max(...texts.map((text) => ctx.measureText(text).width)) + 22);
  return width <= chartWidth * 0.3 ? width : null;
}
