// The colors of a scale from its low end to its high end.
import { type ColorScale, colorTableFor } from '../canvas/heatmap';
import type { Theme } from '../canvas/theme';
import { prepareCanvas } from './mini-histogram';

export function drawLegend(canvas: HTMLCanvasElement, scale: ColorScale, theme: Theme): void {
  const fitted = prepareCanvas(canvas);
  if (!fitted) return;
  const { ctx, width, height } = fitted;
  const colors = colorTableFor(scale, theme);
  for (let x = 0; x < width; x++) {
    const i = Math.round((x / Math.max(1, width - 1)) * 255) * 3;
    ctx.fillStyle = `rgb(${colors[i]}, ${colors[i + 1]}, ${colors[i + 2]})`;
    ctx.fillRect(x, 0, 1, height);
  }
}
