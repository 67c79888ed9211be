// What grows with the size of a network, both on logarithmic axes: times of several ways, one line each. Its numbers are in
// the table of the view that shows it.
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import { formatPower } from '../numbers';
import { decadeBounds, decadeTicks, type Range } from './axes';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';

export interface Growth {
  readonly name: string;
  readonly colour: Rgb;
  readonly dash: readonly number[];
  /** Rising in x; all above 0. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface GrowthOptions {
  readonly x: string;
  readonly y: string;
  /** What it shows, in a sentence, for those who do not see it. */
  readonly words: string;
}

const rangeOf = (values: readonly number[]): Range => (values.length > 0 ? decadeBounds({ min: Math.min(...values), max: Math.max(...values) }) : { min: 1, max: 10 });

export class GrowthChart {
  readonly canvas = document.createElement('canvas');
  readonly #chart: Chart<'scatter'>;

  constructor(readonly context: Context) {
    this.canvas.setAttribute('role', 'img');
    this.#chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'logarithmic' }, y: { type: 'logarithmic' } } },
    });
  }

  update(lines: readonly Growth[], { x, y, words }: GrowthOptions): void {
    const { theme } = this.context;
    this.#chart.data.datasets = lines.map(({ points, colour, dash }) => ({
      data: points.map((point) => ({ ...point })), showLine: true, borderColor: toCss(colour), backgroundColor: toCss(colour), borderWidth: 2,
      borderDash: [...dash], pointRadius: 3, pointBorderWidth: 0,
    }));
    const look = axisLook(theme);
    const axis = (text: string, range: Range) => ({
      ...look, ...range,
      title: { display: true, text, padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } },
      afterBuildTicks: (built: { min: number; max: number; ticks: { value: number }[] }) => {
        built.ticks = decadeTicks(built, 7).map((exponent) => ({ value: 10 ** exponent }));
      },
      ticks: { ...look.ticks, callback: (tick: number | string) => formatPower(Math.round(Math.log10(Number(tick)))) },
    });
    const { scales } = this.#chart.options;
    const points = lines.flatMap((line) => line.points);
    Object.assign(scales?.x ?? {}, axis(x, rangeOf(points.map((point) => point.x))));
    Object.assign(scales?.y ?? {}, axis(y, rangeOf(points.map((point) => point.y))));
    this.#chart.update();
    this.canvas.setAttribute('aria-label', words);
  }

  dispose(): void {
    this.#chart.destroy();
  }
}
