// A chart's axes as a picture. Chart.js draws them when they change; what moves is drawn over a copy of them, which takes a
// tenth of the time.
import type { Chart, ChartType, Plugin } from 'chart.js';

/** What of a chart it takes to draw in its places. */
export type Axes = Pick<Chart, 'ctx' | 'chartArea' | 'scales'>;

type Drawn = Axes & Pick<Chart, 'canvas' | 'draw'>;

export interface Moving {
  readonly under?: (axes: Axes) => void;
  readonly over?: (axes: Axes) => void;
}

/** @returns the plugin that keeps the picture, and what draws everything that moves anew. */
export function groundOf<Type extends ChartType>(moving: Moving): { readonly plugin: Plugin<Type>; redraw(chart: Drawn): void } {
  const picture = document.createElement('canvas');
  const draw = (chart: Drawn): void => {
    const { ctx, canvas, chartArea: area } = chart;
    if (!area) return;
    ctx.save();
    ctx.resetTransform();
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    ctx.restore();
    moving.under?.(chart);
    ctx.save();
    ctx.resetTransform();
    ctx.drawImage(picture, 0, 0);
    ctx.restore();
    moving.over?.(chart);
  };
  return {
    plugin: {
      id: 'ground',
      afterDraw(chart) {
        const { width, height } = chart.canvas;
        // A canvas that is given a size is empty again.
        [picture.width, picture.height] = [width, height];
        picture.getContext('2d')?.drawImage(chart.canvas, 0, 0);
        draw(chart);
      },
    },
    redraw(chart) {
      const { width, height } = chart.canvas;
      if (picture.width === width && picture.height === height) draw(chart);
      else chart.draw();
    },
  };
}
