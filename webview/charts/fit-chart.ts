// What a network of one or two inputs has learned, with the data: the fitted function as lines, or the regions of the
// classes (a single value as shades) under the points. A click on a point chooses its sample.
import type { ChartDataset, Plugin } from 'chart.js';
import { mix, toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import type { AnswerTo } from '../../src/protocol/panel';
import { scaleOf, tableFor, tableIndex } from '../heatmap';
import { formatNumber, formatRound } from '../numbers';
import type { Theme } from '../theme';
import { cutMiddle } from '../words';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';

/** Of an axis: the name of an input has no more room. */
const LONGEST_TITLE = 32;

export type Fitted = AnswerTo<'fitted'>;
export type Points = AnswerTo<'points'>;

export interface Fit {
  readonly fitted: Fitted;
  readonly points: Points;
  /** Class names; null where targets are values. */
  readonly classes: readonly string[] | null;
  readonly chosen: number | null;
}

const POINT_STYLES = ['circle', 'rectRot', 'triangle', 'rect', 'star', 'crossRot'] as const;
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export const classColour = (index: number, { palette }: Theme): Rgb => palette[index % palette.length];
export const classStyle = (index: number): (typeof POINT_STYLES)[number] => POINT_STYLES[index % POINT_STYLES.length];

/** The class of each grid point; the first of equals. */
export function regionsOf({ predictions, outputs, threshold }: Fitted): Uint8Array {
  const count = predictions.length / outputs;
  const classes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    if (outputs === 1) classes[i] = predictions[i] > (threshold ?? 0) ? 1 : 0;
    else for (let j = 1; j < outputs; j++) if (predictions[i * outputs + j] > predictions[i * outputs + classes[i]]) classes[i] = j;
  }
  return classes;
}

/** An opaque picture of the grid, its first row at the bottom. */
export function regionImage(fit: Fit, theme: Theme): ImageData {
  const { fitted, classes } = fit;
  const { columns, rows, predictions } = fitted;
  const image = new ImageData(columns, rows);
  const put = (at: number, [red, green, blue]: Rgb): void => {
    const row = rows - 1 - Math.floor(at / columns);
    image.data.set([red, green, blue, 255], (row * columns + (at % columns)) * 4);
  };
  if (classes) {
    const colours = classes.map((_, i) => mix(theme.background, classColour(i, theme), theme.highContrast ? 0.45 : 0.3));
    regionsOf(fitted).forEach((kind, at) => put(at, colours[kind]));
    return image;
  }
  const scale = scaleOf({ cells: Float64Array.from(predictions), rows, columns }, true);
  const table = tableFor(scale, theme);
  for (let at = 0; at < columns * rows; at++) {
    const i = tableIndex(predictions[at * fitted.outputs], scale);
    put(at, i === null ? theme.bad : [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]]);
  }
  return image;
}

export class FitChart {
  readonly canvas: HTMLCanvasElement;
  readonly #chart: Chart<'scatter'>;
  readonly #under: HTMLCanvasElement;
  #fit: Fit | null = null;
  #range: { min: number; max: number } | null = null;

  constructor(
    readonly context: Context,
    /** A sample was chosen in the chart. */
    choose: (sample: number) => void,
  ) {
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.#under = document.createElement('canvas');
    this.#chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#regions()],
    });
    this.canvas.addEventListener('click', (event) => {
      const near = this.#chart.getElementsAtEventForMode(event, 'nearest', { intersect: false }, false)
        .map(({ datasetIndex, index }) => this.#chart.data.datasets[datasetIndex].data[index] as { sample?: number })
        .find(({ sample }) => sample !== undefined);
      if (near?.sample !== undefined) choose(near.sample);
    });
  }

  update(fit: Fit): void {
    const { theme } = this.context;
    this.#fit = fit;
    const { axes } = fit.fitted;
    const plane = axes.length === 2;
    if (plane) {
      const image = regionImage(fit, theme);
      this.#under.width = image.width;
      this.#under.height = image.height;
      this.#under.getContext('2d')?.putImageData(image, 0, 0);
    }
    const look = axisLook(theme);
    const title = (text: string) => ({ display: true, text: cutMiddle(text, LONGEST_TITLE), padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } });
    const ticks = { ...look.ticks, maxTicksLimit: 7, includeBounds: false, callback: (tick: number) => formatRound(tick) };
    const { x, y } = this.#chart.options.scales ?? {};
    Object.assign(x ?? {}, { ...look, ...range(axes[0]), ticks, title: title(axes[0].name) });
    Object.assign(y ?? {}, { ...look, ...(plane ? range(axes[1]) : this.#grow(fit)), ticks, title: title(plane ? axes[1].name : 'prediction and target') });
    this.#chart.data.datasets = plane ? this.#points(fit) : [...this.#lines(fit), ...this.#points(fit)];
    this.#chart.update();
    this.canvas.setAttribute('aria-label', describe(fit));
  }

  /** A new run: its axes are its own. */
  reset(): void {
    this.#range = null;
  }

  dispose(): void {
    this.#chart.destroy();
  }

  #points({ fitted, points, classes, chosen }: Fit): ChartDataset<'scatter'>[] {
    const { theme } = this.context;
    const plane = fitted.axes.length === 2;
    const width = points.targets.length / Math.max(1, points.samples.length);
    const at = (i: number) => {
      const target = points.targets[i * width];
      return plane
        ? { x: points.inputs[2 * i], y: points.inputs[2 * i + 1], sample: points.samples[i] }
        : { x: points.inputs[i], y: target, sample: points.samples[i] };
    };
    const all = [...points.samples.keys()];
    const of = (kind: number | null): number[] => (kind === null ? all : all.filter((i) => points.targets[i] === kind));
    const kinds = classes ? [...classes.keys()] : [null];
    const sets = kinds.map((kind): ChartDataset<'scatter'> => {
      const colour = kind === null ? theme.foreground : classColour(kind, theme);
      return {
        data: of(kind).map(at),
        pointStyle: kind === null ? 'circle' : classStyle(kind),
        pointRadius: kind === null ? 2 : 3.5,
        backgroundColor: kind === null && plane ? of(null).map((i) => toCss(valueColour(points.targets[i * width], fitted, theme))) : toCss(colour, 0.9),
        // An edge in the background's colour or the text's sets points off from regions of their own hue.
        borderColor: toCss(plane ? theme.foreground : colour, plane ? 0.75 : 1),
        pointBorderWidth: plane ? 0.75 : 0,
      };
    });
    const i = chosen === null ? -1 : points.samples.indexOf(chosen);
    if (i < 0) return sets;
    return [
      { data: [at(i)], pointStyle: 'circle', pointRadius: 8, backgroundColor: 'transparent', borderColor: toCss(theme.foreground), borderWidth: 2 },
      ...sets,
    ];
  }

  #lines({ fitted, classes }: Fit): ChartDataset<'scatter'>[] {
    const { theme } = this.context;
    const { axes, columns, outputs, predictions } = fitted;
    const [{ min, max }] = axes;
    return Array.from({ length: outputs }, (_, j) => ({
      data: Array.from({ length: columns }, (_, i) => ({ x: min + ((max - min) * i) / (columns - 1), y: predictions[i * outputs + j] })),
      showLine: true,
      pointRadius: 0,
      borderWidth: 2,
      borderColor: toCss(classes && outputs > 1 ? classColour(j, theme) : theme.palette[j % theme.palette.length]),
      borderDash: [...dashes[j % dashes.length]],
    }));
  }

  /** Grows with the data and never shrinks within a run: the axis must not jump while the line moves. */
  #grow({ fitted, points }: Fit): { min: number; max: number } {
    let { min, max } = this.#range ?? { min: Infinity, max: -Infinity };
    for (const values of [fitted.predictions, points.targets]) {
      for (const one of values) if (Number.isFinite(one)) [min, max] = [Math.min(min, one), Math.max(max, one)];
    }
    if (min > max) return { min: -1, max: 1 };
    if (min === max) [min, max] = [min - 1, max + 1];
    this.#range = { min, max };
    const room = (max - min) * 0.05;
    return { min: min - room, max: max + room };
  }

  #regions(): Plugin<'scatter'> {
    return {
      id: 'regions',
      beforeDatasetsDraw: ({ ctx, chartArea: { left, top, width, height } }) => {
        if (this.#fit?.fitted.axes.length !== 2) return;
        ctx.save();
        ctx.imageSmoothingEnabled = this.#fit.classes === null;
        ctx.drawImage(this.#under, left, top, width, height);
        ctx.restore();
      },
    };
  }
}

const range = ({ min, max }: { min: number; max: number }) => ({ min, max });

/** A target among the shades of the predictions, so that a point that fits vanishes in its ground. */
function valueColour(target: number, { predictions, rows, columns }: Fitted, theme: Theme): Rgb {
  const scale = scaleOf({ cells: Float64Array.from(predictions), rows, columns }, true);
  const i = tableIndex(target, scale);
  const table = tableFor(scale, theme);
  return i === null ? theme.foreground : [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]];
}

/** In words, for who cannot see it. */
function describe({ fitted, points, classes }: Fit): string {
  const { axes, predictions } = fitted;
  const over = axes.map(({ name, min, max }) => `${name} from ${formatNumber(min)} to ${formatNumber(max)}`).join(', ');
  if (classes) {
    const regions = regionsOf(fitted);
    const shares = classes.map((name, i) => `${name} ${Math.round((100 * regions.filter((kind) => kind === i).length) / regions.length)} %`);
    return `Regions of the classes over ${over}: ${shares.join(', ')}; ${points.samples.length} samples.`;
  }
  const values = [...predictions].filter(Number.isFinite);
  return `Predictions over ${over}: from ${formatNumber(Math.min(...values))} to ${formatNumber(Math.max(...values))}; ${points.samples.length} samples.`;
}

