// The colours of a scale from its low end to its high one.
import { type Scale, tableFor } from '../heatmap';
import type { Theme } from '../theme';
import { fitCanvas } from './mini-histogram';

export function drawLegend(canvas: HTMLCanvasElement, scale: Scale, theme: Theme): void {
  const fitted = fitCanvas(canvas);
  if (!fitted) return;
  const { ctx, width, height } = fitted;
  const colours = tableFor(scale, theme);
  for (let x = 0; x < width; x++) {
    const i = Math.round((x / Math.max(1, width - 1)) * 255) * 3;
    ctx.fillStyle = `rgb(${colours[i]}, ${colours[i + 1]}, ${colours[i + 2]})`;
    ctx.fillRect(x, 0, 1, height);
  }
}
