// A word-sized histogram.
import { canvasSize } from '../canvas/canvas-size';
import { toCss } from '../canvas/colors';
import type { Theme } from '../canvas/theme';

/** Counts of equally wide bins from `low` to `high`. */
export interface Histogram {
  readonly histogram: ArrayLike<number> & Iterable<number>;
  readonly low: number;
  readonly high: number;
}

/** Sizes a canvas for the screen's pixels; null if it is not visible. */
export function prepareCanvas(
  canvas: HTMLCanvasElement,
): { ctx: CanvasRenderingContext2D; width: number; height: number } | null {
  const { width, height } = canvasSize(canvas);
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (w === 0 || h === 0) return null;
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const ctx = canvas.getContext('2d');
  if (!ctx) return null;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

export function drawHistogram(canvas: HTMLCanvasElement, reading: Histogram | null, theme: Theme): void {
  const fitted = prepareCanvas(canvas);
  if (!fitted) return;
  const { ctx, width, height } = fitted;
  ctx.fillStyle = toCss(theme.foreground, theme.highContrast ? 0.6 : 0.25);
  ctx.fillRect(0, height - 1, width, 1);
  if (!reading) return;
  const { histogram, low, high } = reading;
  const most = Math.max(...histogram);
  if (most === 0) return;
  ctx.fillStyle = toCss(theme.palette[0], 0.95);
  const bar = width / histogram.length;
  Array.from(histogram).forEach((count, i) => {
    if (count === 0) return;
    const tall = Math.max(1.5, (count / most) * (height - 1));
    ctx.fillRect(i * bar, height - 1 - tall, Math.max(1, bar - 0.5), tall);
  });
  // Marks 0.
  if (low < 0 && high > 0) {
    ctx.fillStyle = toCss(theme.foreground, 0.7);
    ctx.fillRect(Math.round((-low / (high - low)) * width), 0, 1, height);
  }
}
