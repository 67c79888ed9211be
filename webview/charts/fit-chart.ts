// What a network of one or two inputs has learned, with the data: the fitted function as lines, or the regions of the
// classes (a single value as shades) under the points. A click on a point chooses its sample.
import type { ChartDataset, Plugin } from 'chart.js';
import { mix, toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import type { AnswerTo } from '../../src/protocol/panel';
import { scaleOf, tableFor, tableIndex } from '../heatmap';
import { counted, formatNumber, formatRound } from '../numbers';
import type { Theme } from '../theme';
import { cutMiddle } from '../words';
import { type Axes, groundOf } from './ground';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

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

/** An opaque picture of the grid, its first row at the bottom. */
export function regionImage(fit: Fit, theme: Theme): ImageData {
  const { fitted, classes } = fit;
  const { columns, rows } = fitted;
  const image = new ImageData(columns, rows);
  const put = (at: number, [red, green, blue]: Rgb): void => {
    const place = ((rows - 1 - Math.floor(at / columns)) * columns + (at % columns)) * 4;
    image.data[place] = red;
    image.data[place + 1] = green;
    image.data[place + 2] = blue;
    image.data[place + 3] = 255;
  };
  if (classes && fitted.classes) {
    const colours = classes.map((_, i) => mix(theme.background, classColour(i, theme), theme.highContrast ? 0.45 : 0.3));
    fitted.classes.forEach((kind, at) => put(at, colours[kind]));
    return image;
  }
  const shades = shadesOf(fitted, theme);
  fitted.predictions?.forEach((prediction, at) => put(at, shades(prediction) ?? theme.bad));
  return image;
}

/** The colour of a value among those of the predictions over a plane; null for what is no number. */
function shadesOf({ predictions, rows, columns }: Fitted, theme: Theme): (value: number) => Rgb | null {
  const scale = scaleOf({ cells: Float64Array.from(predictions ?? []), rows, columns }, true);
  const table = tableFor(scale, theme);
  return (value) => {
    const i = tableIndex(value, scale);
    return i === null ? null : [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]];
  };
}

export class FitChart {
  readonly canvas: HTMLCanvasElement;
  readonly #chart: Chart<'scatter'>;
  readonly #under: HTMLCanvasElement;
  readonly #ground = groundOf<'scatter'>({
    under: (axes) => {
      this.#regions(axes);
      drawStrokes(axes, this.#lines);
    },
  });
  #fit: Fit | null = null;
  #range: { min: number; max: number } | null = null;
  #lines: readonly Stroke[] = [];
  /** What the axes and the points were laid out for. */
  #laid: { readonly points: Points; readonly key: string } | null = null;

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
      plugins: [this.#clearing(), this.#ground.plugin],
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
    const y = plane ? range(axes[1]) : this.#grow(fit);
    this.#lines = plane ? [] : this.#strokes(fit);
    // Laying out takes longer than drawing, and while it trains only the regions or the lines change. The shades of points
    // that stand for values are those of the predictions.
    const key = [fit.chosen, theme.version, y.min, y.max].join(' ');
    const shaded = plane && fit.classes === null;
    if (!shaded && this.#laid?.points === fit.points && this.#laid.key === key) this.#ground.redraw(this.#chart);
    else {
      this.#laid = { points: fit.points, key };
      this.#layOut(fit, y);
    }
  }

  /** In words, for who cannot see it. */
  describe(): void {
    if (this.#fit) this.canvas.setAttribute('aria-label', describe(this.#fit));
  }

  #layOut(fit: Fit, yRange: { min: number; max: number }): void {
    const { theme } = this.context;
    const { axes } = fit.fitted;
    const plane = axes.length === 2;
    const look = axisLook(theme);
    const title = (text: string) => ({ display: true, text: cutMiddle(text, LONGEST_TITLE), padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } });
    const ticks = { ...look.ticks, maxTicksLimit: 7, includeBounds: false, callback: (tick: number) => formatRound(tick) };
    const { x, y } = this.#chart.options.scales ?? {};
    Object.assign(x ?? {}, { ...look, ...range(axes[0]), ticks, title: title(axes[0].name) });
    Object.assign(y ?? {}, { ...look, ...yRange, ticks, title: title(plane ? axes[1].name : 'prediction and target') });
    this.#chart.data.datasets = this.#points(fit);
    this.#chart.update();
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
    const shades = plane && !classes ? shadesOf(fitted, theme) : null;
    const of = (kind: number | null): number[] => (kind === null ? all : all.filter((i) => points.targets[i] === kind));
    const kinds = classes ? [...classes.keys()] : [null];
    const sets = kinds.map((kind): ChartDataset<'scatter'> => {
      const colour = kind === null ? theme.foreground : classColour(kind, theme);
      return {
        data: of(kind).map(at),
        pointStyle: kind === null ? 'circle' : classStyle(kind),
        pointRadius: kind === null ? 2 : 3.5,
        // A target among the shades of the predictions, so that a point that fits vanishes in its ground.
        backgroundColor: shades ? of(null).map((i) => toCss(shades(points.targets[i * width]) ?? theme.foreground)) : toCss(colour, 0.9),
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

  #strokes({ fitted, classes }: Fit): Stroke[] {
    const { theme } = this.context;
    const { axes, columns, outputs, predictions } = fitted;
    const [{ min, max }] = axes;
    if (!predictions) return [];
    return Array.from({ length: outputs }, (_, j) => ({
      points: Array.from({ length: columns }, (_, i) => ({ x: min + ((max - min) * i) / (columns - 1), y: predictions[i * outputs + j] })),
      colour: toCss(classes && outputs > 1 ? classColour(j, theme) : theme.palette[j % theme.palette.length]),
      width: 2, dash: dashes[j % dashes.length], radius: 0, line: true,
    }));
  }

  /** Grows with the data and never shrinks within a run: the axis must not jump while the line moves. */
  #grow({ fitted, points }: Fit): { min: number; max: number } {
    let { min, max } = this.#range ?? { min: Infinity, max: -Infinity };
    for (const values of [fitted.predictions ?? [], points.targets]) {
      for (const one of values) if (Number.isFinite(one)) [min, max] = [Math.min(min, one), Math.max(max, one)];
    }
    if (min > max) return { min: -1, max: 1 };
    if (min === max) [min, max] = [min - 1, max + 1];
    this.#range = { min, max };
    const room = (max - min) * 0.05;
    return { min: min - room, max: max + room };
  }

  /** Points are kept with the axes; the regions show through from under them. */
  #clearing(): Plugin<'scatter'> {
    return {
      id: 'clearing',
      beforeDatasetsDraw: ({ ctx, chartArea: { left, top, width, height } }) => {
        if (this.#fit?.fitted.axes.length === 2) ctx.clearRect(left, top, width, height);
      },
    };
  }

  #regions({ ctx, chartArea: { left, top, width, height } }: Axes): void {
    if (this.#fit?.fitted.axes.length !== 2) return;
    ctx.save();
    ctx.imageSmoothingEnabled = this.#fit.classes === null;
    ctx.drawImage(this.#under, left, top, width, height);
    ctx.restore();
  }
}

const range = ({ min, max }: { min: number; max: number }) => ({ min, max });

/** In words, for who cannot see it. */
function describe({ fitted, points, classes }: Fit): string {
  const { axes, predictions, classes: regions } = fitted;
  const over = axes.map(({ name, min, max }) => `${name} from ${formatNumber(min)} to ${formatNumber(max)}`).join(', ');
  if (classes && regions) {
    const shares = classes.map((name, i) => `${name} ${Math.round((100 * regions.filter((kind) => kind === i).length) / regions.length)} %`);
    return `Regions of the classes over ${over}: ${shares.join(', ')}; ${counted(points.samples.length, 'sample')}.`;
  }
  const values = [...(predictions ?? [])].filter(Number.isFinite);
  return `Predictions over ${over}: from ${formatNumber(Math.min(...values))} to ${formatNumber(Math.max(...values))}; ${counted(points.samples.length, 'sample')}.`;
}

