// The parts of Chart.js that are used, registered once, and the common options of all charts: no animation, no
// tooltips, no parsing. Only the charts folder uses the library.
import {
  BarController,
  BarElement,
  Chart,
  type ChartOptions,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
} from 'chart.js';
import { toCss } from '../canvas/colors';
import { onRedraw, pixelRatio } from '../export/hidpi-export';
import type { Theme } from '../canvas/theme';

Chart.register(
  BarController,
  BarElement,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
);

Object.assign(Chart.defaults, { devicePixelRatio: pixelRatio });
Chart.register({
  id: 'hiDpiExport',
  afterInit: (chart) =>
    onRedraw(chart.canvas, () => {
      // Reads the ratio again, and then fits the canvas to it.
      chart.update();
      chart.resize();
    }),
});

export { Chart };

export const FONT_SIZE = 11;

export const baseOptions = {
  animation: false,
  parsing: false,
  normalized: true,
  responsive: true,
  maintainAspectRatio: false,
  events: [],
  plugins: { legend: { display: false }, tooltip: { enabled: false } },
} as const satisfies ChartOptions<'line'>;

/** How an axis looks in the editor's colors. */
export function axisStyle(theme: Theme) {
  return {
    border: { color: toCss(theme.muted, 0.6) },
    grid: { color: theme.grid, tickLength: 4, drawTicks: true },
    ticks: {
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
      maxRotation: 0,
      autoSkipPadding: 12,
    },
  };
}

export const chartFont = (theme: Theme, size = FONT_SIZE): string => `${size}px ${theme.fontFamily}`;
